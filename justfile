# List the recipes.
default:
    @just --list

# Plan and apply the example company against a simulator inside the process.
demo:
    cargo run --release -- apply examples/acme --simulate examples/acme/slack.json --yes

# Run every test.
test:
    cargo test --workspace

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
