//! Solana transactions of records: a template made once of a compiled message, its holes filled and its transactions
//! signed by the record. No network, unless the feature `rpc` is on.
//!
//! ```
//! use std::sync::Arc;
//! use velox_record::{Bundle, Transaction};
//! use velox_solana::{Address, BuildContext, Keypair, RecordLayout, Tip, bundle_id, memo_template};
//!
//! # let secret = [7; 32];
//! # let pair = ed25519_dalek::SigningKey::from_bytes(&secret).to_keypair_bytes();
//! # let signer = Arc::new(Keypair::from_bytes(&pair)?);
//! # #[cfg(any())]
//! let signer = Arc::new(Keypair::read("id.json")?); // as solana-keygen writes it, mode 600
//! let template = memo_template(&signer, RecordLayout::transaction(), 4, true)?;
//!
//! let mut bundle = Bundle::new();
//! for id in 0..6 {
//!     bundle.push(Transaction::new(id, 618_003, 100, 0, 1)).unwrap();
//! }
//! let context = BuildContext {
//!     blockhash: "EkSnNWid2cvwEVnVx9aBqawnmiCNiDgp3gUdkDPTKN1N".parse()?,
//!     compute_unit_price: 1_000,
//!     tip: Some(Tip { lamports: 5_000, account: "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5".parse()? }),
//! };
//! let signed = template.build(bundle.active_transactions(), &context)?;
//! assert_eq!(signed.iter().map(|t| (t.records, t.tip_lamports)).collect::<Vec<_>>(), [(4, 0), (2, 5_000)]);
//! println!("{}", bundle_id(&signed.iter().map(|t| t.signature).collect::<Vec<_>>()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod address;
mod assemble;
mod compact;
mod error;
mod hole;
mod keypair;
mod layout;
mod memo;
mod message;
mod piece;
mod program;
#[cfg(feature = "rpc")]
mod rpc;
mod signed;
mod template;

pub use address::{Address, InvalidAddress};
pub use error::{BuildError, TemplateError};
pub use hole::{Format, Hole, Place};
pub use keypair::{KeyError, Keypair};
pub use layout::{FieldType, RecordField, RecordLayout};
pub use memo::memo_template;
pub use message::{message_fees, message_lamports};
#[cfg(feature = "rpc")]
pub use rpc::{LatestBlockhash, RpcClient, RpcError, SignatureStatus};
pub use signed::{Signature, SignedTransaction, bundle_id};
pub use template::{BuildContext, LEAST_TIP_LAMPORTS, MOST_BYTES, TemplateSpec, Tip, TransactionTemplate};

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
