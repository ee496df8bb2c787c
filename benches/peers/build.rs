//! Compiles the C shim against Debian's DPDK and libpcap, and links both.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let find = |library: &str| {
        pkg_config::Config::new()
            .cargo_metadata(false)
            .probe(library)
    };
    let dpdk = find("libdpdk")?;
    let pcap = find("libpcap")?;
    let mut build = cc::Build::new();
    build
        .file("shim/shim.c")
        .includes(dpdk.include_paths.iter().chain(&pcap.include_paths))
        // What DPDK inlines into its callers is compiled for this very processor.
        .flag("-march=native")
        .flag("-include")
        .flag("rte_config.h")
        .opt_level(3)
        // Some of the lookups are still marked as experimental.
        .define("ALLOW_EXPERIMENTAL_API", None);
    build.try_compile("shim")?;
    // After the shim: the linker takes from a library only what was asked for before it.
    pkg_config::Config::new().probe("libdpdk")?;
    pkg_config::Config::new().probe("libpcap")?;
    println!("cargo:rerun-if-changed=shim/shim.c");
    Ok(())
}
