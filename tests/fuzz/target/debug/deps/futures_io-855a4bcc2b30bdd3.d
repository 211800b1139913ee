/work/wt/see/tests/fuzz/target/debug/deps/futures_io-855a4bcc2b30bdd3.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/futures-io-0.3.34/src/lib.rs

/work/wt/see/tests/fuzz/target/debug/deps/libfutures_io-855a4bcc2b30bdd3.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/futures-io-0.3.34/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/futures-io-0.3.34/src/lib.rs:
