//! The decoder as one connection's protocol: what to subscribe to, and where the snapshots are.
//!
//! Sources: the documentation of the streams and of the REST `depth` call of [spot], [USD-M] and [COIN-M].
//!
//! [spot]: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
//! [USD-M]: https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
//! [COIN-M]: https://developers.binance.com/docs/derivatives/coin-margined-futures/websocket-market-streams

use velox_record::MarketEvent;

use super::Decoder;
use crate::error::Fault;
use crate::feed::url::query_value;
use crate::feed::{Applied, FeedState, Protocol, Venue};

/// The most streams in one request: some kilobytes.
const STREAMS_A_REQUEST: usize = 200;

impl Protocol for Decoder {
    fn apply(&mut self, message: &[u8], receive_ts: u64, out: &mut Vec<MarketEvent>) -> Result<Applied, Fault> {
        self.decode(message, None, receive_ts, out)
    }

    fn snapshot(
        &mut self,
        market: usize,
        body: &[u8],
        receive_ts: u64,
        out: &mut Vec<MarketEvent>,
    ) -> Result<Applied, Fault> {
        self.decode(body, Some(market), receive_ts, out)
    }

    fn state(&self, market: usize) -> FeedState {
        self.syncs[market].state()
    }

    fn snapshot_path(&self, market: usize) -> Option<String> {
        let symbol = query_value(self.instruments[market].symbol());
        Some(match self.venue {
            Venue::BinanceUsdm => format!("/fapi/v1/depth?symbol={symbol}&limit=1000"),
            Venue::BinanceCoinm => format!("/dapi/v1/depth?symbol={symbol}&limit=1000"),
            _ => format!("/api/v3/depth?symbol={symbol}&limit=5000"),
        })
    }

    fn subscribe(&self) -> Vec<String> {
        let streams: Vec<String> = (self.instruments.iter())
            .flat_map(|market| ["depth@100ms", "trade"].map(|stream| (market.symbol().to_lowercase(), stream)))
            .map(|(symbol, stream)| format!("{symbol}@{stream}"))
            .collect();
        let request = |(nth, streams): (usize, &[String])| {
            serde_json::json!({ "method": "SUBSCRIBE", "params": streams, "id": nth + 1 }).to_string()
        };
        streams.chunks(STREAMS_A_REQUEST).enumerate().map(request).collect()
    }

    fn disconnected(&mut self, out: &mut Vec<MarketEvent>) {
        for (instrument, sync) in self.instruments.iter().zip(&mut self.syncs) {
            sync.disconnected(MarketEvent { instrument: instrument.id(), ..MarketEvent::default() }, out);
        }
    }

    fn comparable(&self, instrument: u16) -> u64 {
        Self::comparable(self, instrument)
    }

    fn end(&mut self) {
        Self::end(self);
    }
}
