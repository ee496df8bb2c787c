//! Compiles the shim in front of DPDK; without the feature `dpdk` there is nothing to do.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "dpdk")]
    if let Err(message) = dpdk::build() {
        println!("cargo::error={message}");
    }
}

#[cfg(feature = "dpdk")]
mod dpdk {
    use std::error::Error;

    const SHIM: &str = "src/io/dpdk/shim.c";

    /// The oldest that Debian has; older ones name constants otherwise.
    const LEAST_VERSION: &str = "22.11";

    pub(super) fn build() -> Result<(), Box<dyn Error>> {
        println!("cargo::rerun-if-changed={SHIM}");
        let libdpdk = pkg_config::Config::new()
            .atleast_version(LEAST_VERSION)
            .cargo_metadata(false)
            .probe("libdpdk")
            .map_err(|cause| {
                let cause = cause.to_string();
                let mut said = cause.lines().map(str::trim).filter(|line| !line.is_empty());
                format!(
                    "libdpdk {LEAST_VERSION} or newer is not found: install libdpdk-dev, or build \
                     without --features dpdk ({})",
                    said.next_back().unwrap_or("pkg-config says nothing")
                )
            })?;
        // The flags hold `-include rte_config.h` and the processor that DPDK was built for, which
        // its inline functions want.
        let flags = pkg_config_cflags()?;
        // Before the libraries: a linker that reads from left to right must meet the shim first.
        cc::Build::new()
            .file(SHIM)
            .flags(flags.split_whitespace())
            // For fopencookie().
            .define("_GNU_SOURCE", None)
            // Each burst goes through it, of a debug build, too.
            .opt_level(3)
            .warnings(true)
            .try_compile("sekisho_dpdk")?;
        for folder in &libdpdk.link_paths {
            println!("cargo::rustc-link-search=native={}", folder.display());
        }
        // Of the fifty that pkg-config names, those whose functions are called; drivers are
        // plugins, which DPDK loads by itself.
        for library in ["rte_ethdev", "rte_mbuf", "rte_mempool", "rte_eal"] {
            println!("cargo::rustc-link-lib=dylib={library}");
        }
        Ok(())
    }

    fn pkg_config_cflags() -> Result<String, Box<dyn Error>> {
        println!("cargo::rerun-if-env-changed=PKG_CONFIG");
        println!("cargo::rerun-if-env-changed=PKG_CONFIG_PATH");
        let program = std::env::var_os("PKG_CONFIG").unwrap_or_else(|| "pkg-config".into());
        let said = std::process::Command::new(program)
            .args(["--cflags", "libdpdk"])
            .output()?;
        Ok(String::from_utf8(said.stdout)?)
    }
}
