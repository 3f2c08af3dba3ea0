//! Records become signed Solana transactions: a bundle of orders as memos, four in a transaction, with a tip in the last one.
//!
//! ```sh
//! cargo run --example solana                                                       # a key of its own, nothing is sent
//! cargo run --features solana-rpc --example solana -- id.json http://127.0.0.1:8899 # a key file and a node
//! ```

use std::error::Error;
use std::sync::Arc;
#[cfg(feature = "solana-rpc")]
use std::{thread, time::Duration};

use velox_engine::solana::{
    BuildContext, Keypair, RecordLayout, Signature, SignedTransaction, Tip, bundle_id, memo_template,
};
use velox_engine::{Bundle, Transaction};

/// The key of RFC 8032's first test, which everybody knows: for nothing but this example.
pub const WELL_KNOWN: [u8; 64] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5,
    0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60, 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1,
    0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf,
    0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

/// Six orders.
pub fn orders() -> Bundle {
    let mut bundle = Bundle::new();
    for id in 1..=6 {
        // A bundle has room for 16.
        let _ = bundle.push(Transaction::new(id, 618_003 + id as i64, 100, (id % 2) as u8, 1_723_118_400_000_000_000));
    }
    bundle
}

/// Signs a bundle's transactions by this key.
///
/// # Errors
/// What the template or the build refuses.
pub fn sign(
    signer: Keypair,
    bundle: &Bundle,
    context: &BuildContext,
) -> Result<Vec<SignedTransaction>, Box<dyn Error>> {
    let template = memo_template(&Arc::new(signer), RecordLayout::transaction(), 4, true)?;
    Ok(template.build(bundle.active_transactions(), context)?)
}

fn show(signed: &[SignedTransaction]) {
    for transaction in signed {
        let SignedTransaction { signature, wire, records, lamports, tip_lamports } = transaction;
        println!(
            "{records} records in {} bytes, at most {lamports} lamports and a tip of {tip_lamports}: {signature}",
            wire.len()
        );
    }
    let signatures: Vec<Signature> = signed.iter().map(|transaction| transaction.signature).collect();
    println!("bundle {}", bundle_id(&signatures));
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let signer = arguments.next().map_or_else(|| Keypair::from_bytes(&WELL_KNOWN), Keypair::read)?;
    let url = arguments.next();
    let tip = Tip { lamports: 5_000, account: "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5".parse()? };
    let blockhash = "EkSnNWid2cvwEVnVx9aBqawnmiCNiDgp3gUdkDPTKN1N".parse()?;
    let context = BuildContext { blockhash, compute_unit_price: 1_000, tip: Some(tip) };
    match url {
        None => show(&sign(signer, &orders(), &context)?),
        Some(url) => send(&url, signer, context)?,
    }
    Ok(())
}

#[cfg(feature = "solana-rpc")]
fn send(url: &str, signer: Keypair, context: BuildContext) -> Result<(), Box<dyn Error>> {
    let node = velox_engine::solana::RpcClient::new(url)?;
    let latest = node.latest_blockhash()?;
    let signed = sign(signer, &orders(), &BuildContext { blockhash: latest.blockhash, ..context })?;
    show(&signed);
    for transaction in &signed {
        node.send_transaction(transaction)?;
    }
    let signatures: Vec<Signature> = signed.iter().map(|transaction| transaction.signature).collect();
    // A receipt is no landing. Until its last block is over it may land, and no other is to be signed in its place.
    for _ in 0..60 {
        thread::sleep(Duration::from_millis(500));
        let statuses = node.signature_statuses(&signatures)?;
        if statuses.iter().all(Option::is_some) {
            println!("{statuses:#?}");
            return Ok(());
        }
    }
    Err(format!("expected all to land within 30 s; they may until block {}", latest.last_valid_block_height).into())
}

#[cfg(not(feature = "solana-rpc"))]
fn send(_: &str, _: Keypair, _: BuildContext) -> Result<(), Box<dyn Error>> {
    Err("expected the feature solana-rpc, got a build without it".into())
}
