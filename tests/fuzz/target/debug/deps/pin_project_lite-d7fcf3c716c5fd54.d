/work/wt/see/tests/fuzz/target/debug/deps/pin_project_lite-d7fcf3c716c5fd54.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/pin-project-lite-0.2.18/src/lib.rs

/work/wt/see/tests/fuzz/target/debug/deps/libpin_project_lite-d7fcf3c716c5fd54.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/pin-project-lite-0.2.18/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/pin-project-lite-0.2.18/src/lib.rs:
