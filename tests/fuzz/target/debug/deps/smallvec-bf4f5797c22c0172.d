/work/wt/see/tests/fuzz/target/debug/deps/smallvec-bf4f5797c22c0172.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/smallvec-1.16.6/src/lib.rs

/work/wt/see/tests/fuzz/target/debug/deps/libsmallvec-bf4f5797c22c0172.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/smallvec-1.16.6/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/smallvec-1.16.6/src/lib.rs:
