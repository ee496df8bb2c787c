//! Compiles the shim and reads DPDK's headers.

use std::env;
use std::error::Error;
use std::path::PathBuf;

const HEADER: &str = "src/wrapper.h";
const SHIM: &str = "src/shim.c";

/// The oldest that has the present names of constants and no KNI in the way.
const LEAST_VERSION: &str = "22.11";

/// What capsule calls; the types that these speak of come with them.
const FUNCTIONS: &str = "_rte_.*|capsule_ffi_register_thread|numa_node_of_cpu\
    |pcap_(close|dump|dump_close|dump_flush|dump_open|dump_open_append|geterr|next_ex|open_dead|open_offline)\
    |rte_eal_(init|cleanup)|rte_socket_(count|id|id_by_idx)|rte_strerror|rte_thread_set_affinity\
    |rte_eth_(add_[rt]x_callback|allmulticast_(en|dis)able|macaddr_get|promiscuous_(en|dis)able|[rt]x_queue_setup|stats_get)\
    |rte_eth_dev_(adjust_nb_rx_tx_desc|close|configure|get_port_by_name|info_get|socket_id|start|stop)\
    |rte_mempool_(free|in_use_count)|rte_pktmbuf_pool_create";

const CONSTANTS: &str =
    "ETH_RSS_(IP|TCP|UDP|SCTP)|DEV_TX_OFFLOAD_MBUF_FAST_FREE|RTE_MBUF_DEFAULT_BUF_SIZE|DLT_EN10MB";

fn main() {
    for file in ["build.rs", HEADER, SHIM] {
        println!("cargo::rerun-if-changed={file}");
    }
    if let Err(message) = build() {
        println!("cargo::error={message}");
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    let mut libdpdk = pkg_config::Config::new();
    libdpdk.atleast_version(LEAST_VERSION);
    let found = libdpdk.clone().cargo_metadata(false).probe("libdpdk");
    found.map_err(|cause| {
        format!("libdpdk {LEAST_VERSION} or newer is not found: install libdpdk-dev ({cause})")
    })?;
    // Among the flags are `-include rte_config.h`, and the processor that DPDK was built for, which
    // its inline functions want. _GNU_SOURCE: for cpu_set_t.
    let flags = cflags()?;
    let flags = || flags.split_whitespace().chain(["-D_GNU_SOURCE"]);

    // Before the libraries: a linker that reads from left to right must meet the shim first.
    let mut shim = cc::Build::new();
    // Each burst goes through it, of a debug build, too.
    shim.file(SHIM).flags(flags()).opt_level(3).warnings(true);
    shim.try_compile("capsule_ffi_shim")?;
    libdpdk.probe("libdpdk")?;
    for library in ["numa", "pcap"] {
        println!("cargo::rustc-link-lib=dylib={library}");
    }

    let bindings = bindgen::Builder::default()
        .header(HEADER)
        .clang_args(flags())
        .allowlist_function(FUNCTIONS)
        .allowlist_var(CONSTANTS)
        .allowlist_type("rte_cpuset_t")
        // Both aligned and packed, which Rust cannot say; nobody looks into them.
        .opaque_type("rte_(arp|l2tpv2|gtp).*")
        .default_enum_style(bindgen::EnumVariation::ModuleConsts)
        .derive_default(true)
        .generate_comments(false)
        .parse_callbacks(Box::new(OldNames))
        // Another DPDK has other structures: its headers are looked at, too.
        .parse_callbacks(Box::new(bindgen::CargoCallbacks::new()))
        .rust_edition(bindgen::RustEdition::Edition2024)
        .generate()?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    Ok(bindings.write_to_file(out.join("bindings.rs"))?)
}

fn cflags() -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=PKG_CONFIG");
    let pkg_config = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".to_owned());
    let said = std::process::Command::new(pkg_config)
        .args(["--cflags", "libdpdk"])
        .output()?;
    Ok(String::from_utf8(said.stdout)?)
}

/// `RTE_ETH_MQ_RX_RSS` was `ETH_MQ_RX_RSS`.
#[derive(Debug)]
struct OldNames;

impl bindgen::callbacks::ParseCallbacks for OldNames {
    fn enum_variant_name(
        &self,
        enum_name: Option<&str>,
        variant: &str,
        _value: bindgen::callbacks::EnumVariantValue,
    ) -> Option<String> {
        let is_mode = enum_name?.ends_with("rte_eth_rx_mq_mode");
        let old = variant.strip_prefix("RTE_")?;
        is_mode.then(|| old.to_owned())
    }
}
