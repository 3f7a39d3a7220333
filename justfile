target := env("CARGO_TARGET_DIR", justfile_directory() / "target")
release := target / "release"

# List the recipes.
default:
    @just --list

# Plan and apply the example company against a simulator inside the process.
demo:
    cargo run --release -- apply examples/acme --simulate examples/acme/slack.json --yes

# Run every test.
test:
    cargo test --workspace

# Run the whole of rosterctl through this many random worlds with faults; a seed that fails says how to replay it.
simulate seeds="10000":
    cargo run --release -p end-to-end --bin simulate -- --seeds {{seeds}}

# Fuzz one target (fuzz/README.md lists them) for some seconds; needs a nightly toolchain and cargo-fuzz.
fuzz target seconds="60":
    cd fuzz && mkdir -p corpus/{{target}} && cargo +nightly fuzz run --sanitizer none {{target}} corpus/{{target}} seeds/{{target}} -- -max_total_time={{seconds}} -rss_limit_mb=512 -timeout=20

# Measure time, memory and requests beside a YAML parser, and pace; docs/performance.md says what the columns mean.
[positional-arguments]
bench users="1000,10000,100000" *options: build-benches && bench-pace
    {{release}}/benches --users "$@"

# Print how long runs take under Slack's limits beside what no order of the requests could beat, in virtual time.
bench-pace:
    cargo test --locked -p end-to-end --test it -- pace --nocapture

# Count instructions instead, which other work of the machine does not change; needs valgrind.
[positional-arguments]
bench-instr users="1000" *options: build-benches
    {{release}}/benches --instructions --users "$@"

# Do the same jobs with rosterctl and with Python packages (benches/peers says which); needs Python and its package index.
bench-peers users="10000": build-benches
    benches/peers/compare.py --users {{users}}

[private]
build-benches:
    cargo build --release --locked
    cargo build --release --locked --manifest-path benches/Cargo.toml --target-dir {{target}}

# Everything CI runs: tests, formatting, lints, documentation, supply chain.
ci:
    .ci/run

# Format the code.
fmt:
    cargo fmt --all

# Lint with warnings denied.
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Build the API documentation.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# Check licences, sources, bans and (over the network) known vulnerabilities of the dependencies.
audit:
    cargo deny check

# Rewrite snapshots after a change of wording; read the difference before committing it.
bless:
    INSTA_UPDATE=always cargo test --workspace
