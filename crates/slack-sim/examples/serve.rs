//! Serves a simulator: `cargo run -p slack-sim --example serve -- 127.0.0.1:8080 seed.json [SWITCH=VALUE]…`.

use slack_sim::{Seed, Simulator, Switches};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(seed)) = (arguments.next(), arguments.next()) else {
        return Err("usage: serve ADDRESS SEED [SWITCH=VALUE]…".into());
    };
    let mut switches = Switches::default();
    for setting in arguments {
        let (name, value) = setting.split_once('=').ok_or("a switch is set as NAME=VALUE")?;
        switches.set(name, value)?;
    }
    let simulator = Simulator::new(&Seed::parse(&std::fs::read_to_string(seed)?)?, switches)?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    simulator.serve(listener, std::future::pending()).await?;
    Ok(())
}
