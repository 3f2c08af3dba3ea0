//! Which symbol an instrument id means at which time.

use std::collections::HashMap;

use ::dbn::{MappingInterval, Metadata, compat::SymbolMappingRec};

use crate::error::Fault;

/// The most mappings that one instrument may have, and that a file may bring on its way.
const MOST_OF_ONE: usize = 4_096;
const MOST_ON_THE_WAY: usize = 1 << 20;

/// From a time until before another (epoch ns), the index of a name.
#[derive(Debug, Clone, Copy)]
struct Interval {
    from: u64,
    until: u64,
    name: usize,
}

/// Symbols by instrument id and time, from the metadata and from what a live capture says on its way.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    names: Vec<String>,
    by_name: HashMap<String, usize>,
    /// Of each id in order of their beginnings.
    by_id: HashMap<u32, Vec<Interval>>,
    on_the_way: usize,
}

/// What an id means, and over which time that is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meaning<'a> {
    pub(super) symbol: Option<&'a str>,
    pub(super) from: u64,
    pub(super) until: u64,
}

impl Symbols {
    /// Metadata maps symbols to ids, or ids to symbols; where it does neither, an id is all that is known.
    pub(super) fn of(metadata: &Metadata) -> Result<Self, Fault> {
        let mut symbols = Self::default();
        let Ok(inverse) = metadata.is_inverse() else { return Ok(symbols) };
        for mapping in &metadata.mappings {
            for MappingInterval { start_date, end_date, symbol } in &mapping.intervals {
                let (id, name) = if inverse { (&mapping.raw_symbol, symbol) } else { (symbol, &mapping.raw_symbol) };
                // A day without a mapping, as files of old say it.
                if symbol.is_empty() {
                    continue;
                }
                let id = id.parse().map_err(|_| Fault::new("a mapping to an instrument id", id))?;
                let [from, until] =
                    [start_date, end_date].map(|date| nanos(date.midnight().assume_utc().unix_timestamp()));
                let name = symbols.name(name);
                symbols.by_id.entry(id).or_default().push(Interval { from, until, name });
            }
        }
        for intervals in symbols.by_id.values_mut() {
            intervals.sort_by_key(|interval| interval.from);
        }
        Ok(symbols)
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    fn name(&mut self, name: &str) -> usize {
        if let Some(&known) = self.by_name.get(name) {
            return known;
        }
        self.by_name.insert(name.to_owned(), self.names.len());
        self.names.push(name.to_owned());
        self.names.len() - 1
    }

    /// Takes in a mapping that came between the records; it outdoes an older one.
    pub(super) fn learn(&mut self, id: u32, mapping: &impl SymbolMappingRec) -> Result<(), Fault> {
        let text = |error: ::dbn::Error| Fault::new("a symbol in UTF-8", error.to_string());
        let symbol = mapping.stype_out_symbol().map_err(text)?;
        let from = mapping.start_ts().map_or(0, |time| nanos(time.unix_timestamp()));
        let until = mapping.end_ts().map_or(u64::MAX, |time| nanos(time.unix_timestamp()));
        if self.on_the_way == MOST_ON_THE_WAY {
            return Err(Fault::new(format!("at most {MOST_ON_THE_WAY} symbol mappings"), symbol));
        }
        self.on_the_way += 1;
        let interval = Interval { from, until, name: self.name(symbol) };
        let known = self.by_id.entry(id).or_default();
        let at = known.partition_point(|known| known.from < from);
        if let Some(same) = known.get_mut(at).filter(|same| same.from == from) {
            *same = interval;
        } else if known.len() < MOST_OF_ONE {
            known.insert(at, interval);
        } else {
            return Err(Fault::new(format!("at most {MOST_OF_ONE} symbol mappings of one instrument"), symbol));
        }
        Ok(())
    }

    pub(super) fn meaning(&self, id: u32, time: u64) -> Meaning<'_> {
        let intervals = self.by_id.get(&id).map_or(&[][..], Vec::as_slice);
        let (begun, later) = intervals.split_at(intervals.partition_point(|interval| interval.from <= time));
        let next = later.first().map_or(u64::MAX, |interval| interval.from);
        match begun.last() {
            None => Meaning { symbol: None, from: 0, until: next },
            Some(over) if over.until <= time => Meaning { symbol: None, from: over.until, until: next },
            Some(is) => Meaning { symbol: Some(&self.names[is.name]), from: is.from, until: next.min(is.until) },
        }
    }
}

/// Epoch nanoseconds; 0 before 1970, the end of time after 2554.
fn nanos(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000_000_000)
}
