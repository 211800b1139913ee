/work/wt/see/tests/fuzz/target/debug/deps/futures_sink-3b8fe3764496d882.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/futures-sink-0.3.34/src/lib.rs

/work/wt/see/tests/fuzz/target/debug/deps/libfutures_sink-3b8fe3764496d882.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/futures-sink-0.3.34/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/futures-sink-0.3.34/src/lib.rs:
