//! Families of samples, and their text as Prometheus reads it
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::borrow::Cow;
use std::fmt::Write;

use serde::{Serialize, Serializer};

/// What a family's samples are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by upper bounds, each with all below it, a sum and a count.
    Histogram,
}

/// Declares the names of labels, each once.
macro_rules! label_names {
    ($($label:ident $name:literal)*) => {
        /// The name of a label of the engine's own samples: there is no other, so none of them can be asked for twice.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "what it labels is told where it is used")]
        pub enum LabelName {
            $($label),*
        }

        impl LabelName {
            const ALL: &[Self] = &[$(Self::$label),*];

            /// As Prometheus sees it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$label => $name),*
                }
            }
        }
    };
}

label_names! {
    Book "book"
    Core "core"
    Edge "edge"
    From "from"
    Le "le"
    Market "market"
    Run "run"
    Stage "stage"
    Stages "stages"
    State "state"
    Symbol "symbol"
    Thread "thread"
    To "to"
    Venue "venue"
    Wait "wait"
}

impl Serialize for LabelName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A label's name and value.
pub type Label<'a> = (LabelName, Cow<'a, str>);

/// One number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample<'a> {
    /// What comes behind the family's name: `_bucket`, `_sum` and `_count` of a histogram.
    pub suffix: &'static str,
    /// Tell it from the others of its family.
    pub labels: Vec<Label<'a>>,
    /// The number.
    pub value: f64,
}

/// Samples of one name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Family<'a> {
    /// The name.
    pub name: &'static str,
    /// What it counts, in a sentence.
    pub help: &'static str,
    /// What its samples are.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// All of them.
    pub samples: Vec<Sample<'a>>,
}

/// A label that can't stand beside a run's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("labels: expected {expected}, got {got:?}")]
pub struct InvalidLabel {
    /// What a label's name is.
    pub expected: &'static str,
    /// The name that came.
    pub got: String,
}

/// Labels of every sample of a text, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(Vec<(String, String)>);

impl Labels {
    /// Checks names: of letters, digits and `_`, not beginning with a digit or `__`, and none twice.
    ///
    /// # Errors
    /// [`InvalidLabel`]: Prometheus would refuse the name, or the run has a label of that name.
    ///
    /// ```
    /// use velox_metrics::Labels;
    ///
    /// assert!(Labels::new([("strategy", "maker")]).is_ok());
    /// assert!(Labels::new([("my-strategy", "maker")]).is_err());
    /// ```
    pub fn new<N: Into<String>, V: Into<String>>(
        labels: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, InvalidLabel> {
        let mut known = Vec::new();
        for (name, value) in labels {
            let got: String = name.into();
            let refused = |expected| Err(InvalidLabel { expected, got: got.clone() });
            let is_named = got.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if !is_named || got.starts_with(|c: char| c.is_ascii_digit()) || got.is_empty() || got.starts_with("__") {
                return refused("a name of letters, digits and _ that begins with a letter or one _");
            }
            // `quantile` is Prometheus's own, for a kind of family that there is none of here.
            let is_taken = got == "quantile" || LabelName::ALL.iter().any(|label| label.name() == got);
            if is_taken || known.iter().any(|(name, _)| *name == got) {
                return refused("a name that no other label has");
            }
            known.push((got, value.into()));
        }
        Ok(Self(known))
    }
}

/// A label's value between quotation marks.
fn escape(value: &str, text: &mut String) {
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
}

/// The text of families, `labels` with each sample; a family without samples is left out. Allocates.
pub fn text(families: &[Family<'_>], labels: &Labels) -> String {
    let samples: usize = families.iter().map(|family| family.samples.len()).sum();
    let mut text = String::with_capacity(96 * samples + 160 * families.len());
    let kind = |kind| match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    for Family { name, help, kind: of, samples } in families.iter().filter(|family| !family.samples.is_empty()) {
        // Writing to a text never fails.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {}\n", kind(*of));
        for sample in samples {
            text.push_str(name);
            text.push_str(sample.suffix);
            let constant = labels.0.iter().map(|(name, value)| (&**name, &**value));
            let own = sample.labels.iter().map(|(name, value)| (name.name(), &**value));
            let mut before = '{';
            for (name, value) in constant.chain(own) {
                text.push(before);
                text.push_str(name);
                text.push_str("=\"");
                escape(value, &mut text);
                text.push('"');
                before = ',';
            }
            if before == ',' {
                text.push('}');
            }
            let _ = writeln!(text, " {}", sample.value);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(labels: Vec<Label<'_>>) -> Vec<Family<'_>> {
        vec![Family {
            name: "velox_x",
            help: "X.",
            kind: Kind::Gauge,
            samples: vec![Sample { suffix: "", labels, value: 0.5 }],
        }]
    }

    #[test]
    fn values_of_labels_are_escaped() {
        let families = one(vec![(LabelName::Stage, "a\"b\\c\nd é".into())]);
        let labels = Labels::new([("desk", "x\"")]).unwrap();
        let expected =
            "# HELP velox_x X.\n# TYPE velox_x gauge\nvelox_x{desk=\"x\\\"\",stage=\"a\\\"b\\\\c\\nd é\"} 0.5\n";
        assert_eq!(text(&families, &labels), expected);
        assert!(text(&one(Vec::new()), &Labels::default()).ends_with("\nvelox_x 0.5\n"));
    }

    #[test]
    fn a_name_that_prometheus_or_the_run_refuses_is_told() {
        for name in ["", "1st", "a-b", "a b", "__meta", "é", "le", "stage", "venue", "quantile"] {
            let error = Labels::new([(name, "x")]).unwrap_err();
            assert_eq!(error.got, name);
            assert!(error.to_string().starts_with("labels: expected a name"), "{error}");
        }
        assert!(Labels::new([("a", "1"), ("a", "2")]).is_err());
        assert!(Labels::new([("_a1", "any \n value")]).is_ok());
    }
}
