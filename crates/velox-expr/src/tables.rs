use velox_record::{EventKind, MarketEvent, Trade, Transaction};

use crate::field::SIDES;
use crate::{Column, Table, column};

impl Table for Transaction {
    const COLUMNS: &'static [Column<Self>] = &[
        column!("id", None, U64, |row| row.id),
        column!("price", Price, I64, |row| row.price),
        column!("size", Qty, I64, |row| row.size),
        column!("side", None, Enum(SIDES), |row| row.side),
        column!("instrument", None, I64, |row| row.instrument),
        column!("ingressTsNs", None, U64, |row| row.ingress_ts_ns),
    ];
}

impl Table for Trade {
    const COLUMNS: &'static [Column<Self>] = &[
        column!("id", None, U64, |row| row.id),
        column!("instrument", None, I64, |row| row.instrument),
        column!("side", None, Enum(SIDES), |row| row.side),
        column!("price", Price, I64, |row| row.price),
        column!("qty", Qty, I64, |row| row.qty),
        column!("exchangeTs", None, U64, |row| row.exchange_ts),
        column!("receiveTs", None, U64, |row| row.receive_ts),
    ];
}

impl Table for MarketEvent {
    const COLUMNS: &'static [Column<Self>] = &[
        column!("kind", None, Enum(&EventKind::NAMES), |row| row.kind.0),
        column!("instrument", None, I64, |row| row.instrument),
        column!("side", None, Enum(SIDES), |row| row.side),
        column!("flags", None, I64, |row| row.flags),
        column!("price", Price, I64, |row| row.price),
        column!("qty", Qty, I64, |row| row.qty),
        column!("sequence", None, U64, |row| row.sequence),
        column!("exchangeTs", None, U64, |row| row.exchange_ts),
        column!("receiveTs", None, U64, |row| row.receive_ts),
    ];
}

#[cfg(test)]
mod tests {
    use velox_record::side_name;

    use super::*;

    fn columns_are_fields<T: Table>() {
        let columns: Vec<&str> = T::COLUMNS.iter().map(|column| &column.name[..]).collect();
        let fields: Vec<&str> = T::FIELDS.iter().map(|&(name, _)| name).collect();
        assert_eq!(columns, fields, "{}", T::NAME);
    }

    #[test]
    fn every_field_of_a_record_is_a_column() {
        columns_are_fields::<Transaction>();
        columns_are_fields::<Trade>();
        columns_are_fields::<MarketEvent>();
    }

    #[test]
    fn sides_have_the_names_of_the_records() {
        for (side, name) in (0..).zip(SIDES) {
            assert_eq!(side_name(side), Some(*name));
        }
        assert_eq!(side_name(SIDES.len() as u8), None);
    }
}
