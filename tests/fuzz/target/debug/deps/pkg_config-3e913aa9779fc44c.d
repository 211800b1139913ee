/work/wt/see/tests/fuzz/target/debug/deps/pkg_config-3e913aa9779fc44c.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/pkg-config-0.3.34/src/lib.rs

/work/wt/see/tests/fuzz/target/debug/deps/libpkg_config-3e913aa9779fc44c.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/pkg-config-0.3.34/src/lib.rs

/work/wt/see/tests/fuzz/target/debug/deps/libpkg_config-3e913aa9779fc44c.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/pkg-config-0.3.34/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/pkg-config-0.3.34/src/lib.rs:
