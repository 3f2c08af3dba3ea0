//! A bundle of 16 orders as 16 signed transactions, on one thread: whole, and what each part of it takes. Prints one line of
//! JSON, µs a transaction, medians of 31 interleaved rounds.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use ed25519_dalek::{Signer, SigningKey};
use velox_record::Transaction;
use velox_solana::{Address, BuildContext, Keypair, RecordLayout, memo_template};

const ROUNDS: usize = 31;
const BUNDLES: usize = 40;
const SIZE: usize = 16;

fn micros(mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..BUNDLES {
        work();
    }
    start.elapsed().as_secs_f64() * 1e6 / (BUNDLES * SIZE) as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let secret = SigningKey::from_bytes(&[7; 32]);
    let signer = Arc::new(Keypair::from_bytes(&secret.to_keypair_bytes()).expect("a key of its own"));
    let template = memo_template(&signer, RecordLayout::transaction(), 1, true).expect("one memo fits");
    let context = BuildContext { blockhash: Address::new([7; 32]), compute_unit_price: 1_000, tip: None };
    let order = |id| Transaction::new(id, 618_003, 100, 0, 1_723_118_400_000_000_000);
    let orders: Vec<_> = (0..SIZE as u64).map(order).collect();
    let signed = template.build(&orders, &context).expect("orders fit");
    let wire = &signed[0].wire;
    let (mut whole, mut signs, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        whole.push(micros(|| drop(black_box(template.build(&orders, &context)))));
        signs.push(micros(|| {
            for _ in 0..SIZE {
                black_box(secret.sign(black_box(&wire[65..])));
            }
        }));
        let text = || drop(black_box((base64::prelude::BASE64_STANDARD.encode(wire), signed[0].signature.to_string())));
        texts.push(micros(|| {
            for _ in 0..SIZE {
                text();
            }
        }));
    }
    println!(
        r#"{{"bench":"template","bytes":{},"build":{:.2},"sign":{:.2},"base64AndBase58":{:.2}}}"#,
        wire.len(),
        median(whole),
        median(signs),
        median(texts)
    );
}
