/work/wt/see/tests/fuzz/target/debug/deps/vcpkg-e6d47ad55394a6f1.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/vcpkg-0.2.15/src/lib.rs

/work/wt/see/tests/fuzz/target/debug/deps/libvcpkg-e6d47ad55394a6f1.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/vcpkg-0.2.15/src/lib.rs

/work/wt/see/tests/fuzz/target/debug/deps/libvcpkg-e6d47ad55394a6f1.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/vcpkg-0.2.15/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/vcpkg-0.2.15/src/lib.rs:
