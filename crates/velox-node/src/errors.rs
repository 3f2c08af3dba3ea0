//! Rust errors as data: a code, and a context as JSON, of which TypeScript makes one error class.

use std::any::Any;

use serde_json::{Value as Json, json};
use velox_engine::expr::ExprError;
use velox_engine::feed::FeedError;
use velox_engine::live::LiveError;
use velox_engine::pipeline::{EngineError, StartError, panic_text};
use velox_engine::record::{DecimalError, InstrumentError, InvalidRecord};
use velox_engine::ring::ForeignError;
use velox_engine::solana::{BuildError, KeyError, MOST_BYTES, TemplateError};
use velox_engine::stages::InvalidOption;
use velox_engine::{BookError, side_name};

/// An error on its way to JavaScript.
pub(crate) struct Thrown {
    pub code: &'static str,
    pub context: Json,
}

/// What a `#[napi]` function gives: the code becomes the JavaScript error's `code`, the context its message.
pub(crate) type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

impl From<Thrown> for napi::Error<&'static str> {
    fn from(thrown: Thrown) -> Self {
        Self::new(thrown.code, thrown.context)
    }
}

impl Thrown {
    pub(crate) fn new(code: &'static str, context: Json) -> Self {
        Self { code, context }
    }

    pub(crate) fn value(field: &str, expected: &str, got: impl Into<Json>) -> Self {
        Self::new("VELOX_INVALID_VALUE", json!({ "field": field, "expected": expected, "got": got.into() }))
    }

    pub(crate) fn unsafe_integer(field: &str) -> Self {
        Self::new("VELOX_UNSAFE_INTEGER", json!({ "field": field }))
    }

    pub(crate) fn panic(panic: &(dyn Any + Send)) -> Self {
        Self::new("VELOX_NATIVE_PANIC", json!({ "message": panic_text(panic) }))
    }
}

impl From<DecimalError> for Thrown {
    fn from(error: DecimalError) -> Self {
        let (expected, got) = match error {
            DecimalError::NotDecimal(got) => ("a decimal like 61800.30".into(), got),
            DecimalError::TooFine { step, got } => (format!("a multiple of {step}"), got),
            DecimalError::TooLarge { step, got } => (format!("at most 2^63 - 1 steps of {step}"), got),
            DecimalError::NotStep(got) => ("a positive decimal with at most 12 decimals, like 0.01".into(), got),
        };
        Self::value("decimal", &expected, got)
    }
}

impl From<InstrumentError> for Thrown {
    fn from(error: InstrumentError) -> Self {
        let (field, error) = match error {
            InstrumentError::Tick(error) => ("tick", error),
            InstrumentError::Lot(error) => ("lot", error),
            InstrumentError::TooMany => {
                return Self::value("instrument", "at most 65535 different ones in one process", "one more");
            }
        };
        let mut thrown = Self::from(error);
        thrown.context["field"] = field.into();
        thrown
    }
}

impl From<InvalidRecord> for Thrown {
    fn from(InvalidRecord { record, field, expected, got }: InvalidRecord) -> Self {
        let context = json!({ "record": record, "field": field, "expected": expected, "got": got.to_string() });
        Self::new("VELOX_RECORD_INVALID", context)
    }
}

impl From<FeedError> for Thrown {
    fn from(error: FeedError) -> Self {
        let code = error.code();
        let context = match error {
            FeedError::NotFound { path } => json!({ "path": path }),
            FeedError::Io { path, reason } => json!({ "path": path, "reason": reason }),
            FeedError::Corrupt { path, line, expected, got } => {
                json!({ "path": path, "line": line, "expected": expected, "got": got })
            }
            FeedError::Message { venue, expected, got } => {
                json!({ "venue": venue, "expected": expected, "got": got })
            }
            FeedError::UnknownSymbol { symbol, known } => json!({ "symbol": symbol, "known": known }),
            FeedError::UnknownFormat { format, known } => json!({ "format": format, "known": known }),
            FeedError::InvalidValue { field, expected, got } => {
                json!({ "field": field, "expected": expected, "got": got })
            }
        };
        Self::new(code, context)
    }
}

impl From<LiveError> for Thrown {
    fn from(error: LiveError) -> Self {
        let code = error.code();
        let context = match error {
            LiveError::Feed(error) => return error.into(),
            LiveError::InvalidUrl { field, expected, got } => {
                json!({ "field": field, "expected": expected, "got": got })
            }
            LiveError::NoTrust { reason } => json!({ "host": "", "reason": reason }),
            LiveError::Untrusted { host, reason } => json!({ "host": host, "reason": reason }),
            LiveError::Refused { url, status, reason } => json!({ "url": url, "status": status, "reason": reason }),
            LiveError::Unwritable { path, reason } => json!({ "path": path, "reason": reason }),
            LiveError::Thread { reason } => json!({ "expected": "a thread for the connection", "got": reason }),
            LiveError::Panic(message) => json!({ "message": message }),
        };
        Self::new(code, context)
    }
}

impl From<ForeignError> for Thrown {
    fn from(error: ForeignError) -> Self {
        let text = error.to_string();
        match error {
            ForeignError::Claimed { side, by } => {
                Self::new("VELOX_RING_OWNED", json!({ "side": side.name(), "by": owner(by) }))
            }
            ForeignError::Closed => Self::new("VELOX_RING_CLOSED", json!({ "ring": "the ring" })),
            ForeignError::Record(error) => error.into(),
            ForeignError::NotARing { expected, got } => {
                Self::new("VELOX_RING_MISMATCH", json!({ "expected": expected, "got": got }))
            }
            ForeignError::Corrupt { .. } => Self::new(
                "VELOX_RING_CORRUPT",
                json!({ "ring": "the ring", "expected": "cursors as its two sides left them", "got": text }),
            ),
        }
    }
}

fn owner(id: u32) -> String {
    if id & 0x8000_0000 == 0 { format!("handle {id}") } else { "native code".into() }
}

impl From<BookError> for Thrown {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Contended { attempts } => Self::new("VELOX_BOOK_CONTENDED", json!({ "attempts": attempts })),
            BookError::Owned { by } => Self::new("VELOX_BOOK_OWNED", json!({ "by": by })),
            BookError::Overflow { price, have, delta } => Self::value(
                "delta",
                "a quantity that stays within 64 bits",
                format!("{delta} on top of {have} at {price}"),
            ),
            BookError::InvalidLevel { side, price, qty } => {
                let side = side_name(side).map_or_else(|| side.to_string(), String::from);
                Self::value(
                    "level",
                    "a side of bid or ask and a quantity of 0 or more",
                    format!("{side} {price} {qty}"),
                )
            }
        }
    }
}

impl From<EngineError> for Thrown {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Feed(error) => error.into(),
            EngineError::Live(error) => error.into(),
            EngineError::Ring(error) => error.into(),
            EngineError::Book(error) => error.into(),
            EngineError::Record(error) => error.into(),
            EngineError::File { path, reason } => {
                Self::new("VELOX_FILE_UNWRITABLE", json!({ "path": path, "reason": reason }))
            }
            // The script's own error is known where the script ran.
            EngineError::Script(message) => Self::new("SCRIPT", json!({ "message": message })),
            EngineError::Panic(message) => Self::new("VELOX_NATIVE_PANIC", json!({ "message": message })),
            EngineError::Stage(message) => {
                let said = message.strip_prefix("expected ").and_then(|said| said.split_once(", got "));
                let (expected, got) = said.unwrap_or(("records that the stage can take", &message));
                Self::value("stage", expected, got)
            }
        }
    }
}

impl From<ExprError> for Thrown {
    fn from(error: ExprError) -> Self {
        let code = error.code();
        Self::new(
            code,
            match error {
                ExprError::UnknownField { record, name, known, .. } => {
                    json!({ "record": record, "field": name, "known": known })
                }
                ExprError::TypeMismatch { op, expected, got } => json!({ "op": op, "expected": expected, "got": got }),
                ExprError::InvalidValue { op, expected, got } => {
                    json!({ "field": op, "expected": expected, "got": got })
                }
            },
        )
    }
}

impl From<InvalidOption> for Thrown {
    fn from(InvalidOption { name, expected, got }: InvalidOption) -> Self {
        Self::value(name, expected, got)
    }
}

impl From<StartError> for Thrown {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Placement { expected, got } => {
                Self::new("VELOX_PLACEMENT_INVALID", json!({ "expected": expected, "got": got }))
            }
            StartError::Thread { stages, reason } => {
                let expected = format!("a thread for {stages}");
                Self::new("VELOX_PLACEMENT_INVALID", json!({ "expected": expected, "got": reason }))
            }
            StartError::Declared { field, expected, got } => Self::value(field, &expected, got),
            StartError::Stage(error) => error.into(),
        }
    }
}

impl From<KeyError> for Thrown {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::NotFound { path } => Self::new("VELOX_FILE_NOT_FOUND", json!({ "path": path })),
            KeyError::Refused { source_name, expected, got } => {
                Self::new("VELOX_KEY_REFUSED", json!({ "source": source_name, "expected": expected, "got": got }))
            }
        }
    }
}

impl From<TemplateError> for Thrown {
    fn from(error: TemplateError) -> Self {
        let invalid = |field: &str, expected: &str, got: String| {
            Self::new("VELOX_TEMPLATE_INVALID", json!({ "field": field, "expected": expected, "got": got }))
        };
        match error {
            TemplateError::Message { expected, got } => invalid("message", expected, got),
            TemplateError::Hole { hole, expected, got } => invalid(&format!("the hole {hole}"), &expected, got),
            TemplateError::Option { name, expected, got } => invalid(name, &expected, got),
            TemplateError::TooLong { records, bytes, fits } => Self::new(
                "VELOX_TRANSACTION_TOO_LONG",
                json!({ "records": records, "bytes": bytes, "most": MOST_BYTES, "fits": fits }),
            ),
        }
    }
}

impl From<BuildError> for Thrown {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Value { hole, record, expected, got } => Self::new(
                "VELOX_HOLE_OVERFLOW",
                json!({ "hole": hole, "record": record, "expected": expected, "got": got }),
            ),
            BuildError::Context { name, expected, got } => Self::value(name, &expected, got),
        }
    }
}
