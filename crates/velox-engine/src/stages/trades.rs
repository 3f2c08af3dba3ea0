use velox_record::{EventKind, MarketEvent, Trade};

use crate::pipeline::{Batch, EngineError, Input, Pipeline, Stage, Tally};

/// Passes trades on, as [`Trade`]s, and filters everything else.
#[derive(Debug, Default)]
pub struct Trades;

impl Stage for Trades {
    type In = MarketEvent;
    type Out = Trade;

    fn poll(
        &mut self,
        input: &mut Input<'_, MarketEvent>,
        out: &mut Batch<Trade>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        while let Some((event, stamp)) = input.next_for(out) {
            if event.kind != EventKind::TRADE {
                tally.filtered += 1;
                continue;
            }
            out.push(Trade::from(&event), stamp);
            tally.consumed += 1;
        }
        Ok(())
    }
}

impl Pipeline<MarketEvent> {
    /// Goes on with trades only.
    #[must_use]
    pub fn trades(self, name: &str) -> Pipeline<Trade> {
        self.stage(name, Trades)
    }
}
