use velox_record::{Trade, Transaction};

use crate::pipeline::{Batch, EngineError, Input, Pipeline, Stage, Tally};

/// Makes a [`Transaction`] of each trade: its id, price, side and instrument, its quantity as `size`, and the time it
/// was received as `ingress_ts_ns`. A quantity beyond 32 bits is refused and counted, never wrapped.
#[derive(Debug, Default)]
pub struct Transactions;

impl Stage for Transactions {
    type In = Trade;
    type Out = Transaction;

    fn poll(
        &mut self,
        input: &mut Input<'_, Trade>,
        out: &mut Batch<Transaction>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        while let Some((trade, stamp)) = input.next_for(out) {
            let Ok(size) = u32::try_from(trade.qty) else {
                tally.refuse(|| {
                    format!(
                        "VELOX_INVALID_VALUE: size: expected 0 to 4294967295 lots, got {} (trade {})",
                        trade.qty, trade.id
                    )
                });
                continue;
            };
            let transaction = Transaction::new(trade.id, trade.price, size, trade.side, trade.receive_ts);
            out.push(transaction.with_instrument(trade.instrument), stamp);
            tally.consumed += 1;
        }
        Ok(())
    }
}

impl Pipeline<Trade> {
    /// Goes on with a transaction a trade.
    #[must_use]
    pub fn transactions(self, name: &str) -> Pipeline<Transaction> {
        self.stage(name, Transactions)
    }
}
