/work/wt/see/tests/fuzz/target/debug/deps/cfg_aliases-842f6a493584f267.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/cfg_aliases-0.2.2/src/lib.rs

/work/wt/see/tests/fuzz/target/debug/deps/libcfg_aliases-842f6a493584f267.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/cfg_aliases-0.2.2/src/lib.rs

/work/wt/see/tests/fuzz/target/debug/deps/libcfg_aliases-842f6a493584f267.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/cfg_aliases-0.2.2/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/cfg_aliases-0.2.2/src/lib.rs:
