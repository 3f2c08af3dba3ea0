//! The client against a real HTTP server on loopback.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::{address, key};
use serde_json::{Value as Json, json};
use velox_record::Transaction;
use velox_solana::{
    BuildContext, RecordLayout, RpcClient, RpcError, Signature, SignedTransaction, Tip, bundle_id, memo_template,
};

/// The path and the body of each request.
type Asked = Arc<Mutex<Vec<(String, Json)>>>;

/// Answers each request by `answer`: status, headers, body. Gives its address and what it was asked.
fn server(answer: impl Fn(&Json) -> (u16, &'static str, String) + Send + 'static) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked: Asked = Arc::default();
    let told = Arc::clone(&asked);
    // It lives as long as the test's process.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut first = String::new();
            reader.read_line(&mut first).unwrap();
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let request: Json = serde_json::from_slice(&body).unwrap();
            told.lock().unwrap().push((first.split(' ').nth(1).unwrap().into(), request.clone()));
            let (status, headers, text) = answer(&request);
            let length = text.len();
            write!(
                stream,
                "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{text}"
            )
            .unwrap();
        }
    });
    (format!("http://{address}"), asked)
}

fn ok(result: &Json) -> (u16, &'static str, String) {
    (200, "", json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string())
}

fn signed(tip: bool) -> Vec<SignedTransaction> {
    let template = memo_template(&key(1), RecordLayout::transaction(), 1, true).unwrap();
    let tip = tip.then_some(Tip { lamports: 1_000, account: address(9) });
    let context = BuildContext { blockhash: address(7), compute_unit_price: 0, tip };
    template.build(&[Transaction::new(1, 2, 3, 0, 4), Transaction::new(2, 2, 3, 0, 4)], &context).unwrap()
}

#[test]
fn a_program_gets_a_blockhash_sends_and_asks() {
    let transactions = signed(true);
    let (first, id) = (
        transactions[0].signature.to_string(),
        bundle_id(&transactions.iter().map(|transaction| transaction.signature).collect::<Vec<_>>()),
    );
    let answers = (first.clone(), id.clone());
    let (url, asked) = server(move |request| match request["method"].as_str().unwrap() {
        "getLatestBlockhash" => ok(&json!({
            "context": { "slot": 5 },
            "value": { "blockhash": address(7).to_string(), "lastValidBlockHeight": 3_090 },
        })),
        "sendTransaction" => ok(&json!(answers.0)),
        "sendBundle" => ok(&json!(answers.1)),
        _ => ok(&json!({ "context": { "slot": 5 }, "value": [
            { "slot": 72, "confirmations": 10, "err": null, "confirmationStatus": "confirmed" },
            { "slot": 73, "confirmations": null, "err": { "InstructionError": [0, "Custom"] }, "confirmationStatus": "finalized" },
            null,
        ] })),
    });
    let client = RpcClient::new(&format!("{url}/key-in-the-path?api=secret")).unwrap();
    let latest = client.latest_blockhash().unwrap();
    assert_eq!((latest.blockhash, latest.last_valid_block_height), (address(7), 3_090));
    client.send_transaction(&transactions[0]).unwrap();
    assert_eq!(client.send_bundle(&transactions).unwrap(), id);
    let signatures = [transactions[0].signature, transactions[1].signature, Signature::new([3; 64])];
    let statuses = client.signature_statuses(&signatures).unwrap();
    let landed = statuses[0].as_ref().unwrap();
    assert_eq!((landed.slot, &landed.confirmation[..], &landed.error), (72, "confirmed", &None));
    assert_eq!(statuses[1].as_ref().unwrap().error.as_deref(), Some(r#"{"InstructionError":[0,"Custom"]}"#));
    assert!(statuses[2].is_none());

    let asked = asked.lock().unwrap();
    assert!(asked.iter().all(|(path, _)| path == "/key-in-the-path?api=secret"));
    assert_eq!(asked[1].1["params"][0], transactions[0].base64());
    assert_eq!(asked[1].1["params"][1]["encoding"], "base64");
    // The blockhash is of a confirmed block: a node that simulates on a finalized one has never heard of it.
    assert_eq!(asked[0].1["params"][0]["commitment"], asked[1].1["params"][1]["preflightCommitment"]);
    assert_eq!(
        asked[2].1["params"],
        json!([[transactions[0].base64(), transactions[1].base64()], { "encoding": "base64" }])
    );
    assert_eq!(asked[3].1["params"][0][0], first);
}

#[test]
fn refusals_are_the_servers_own_words_without_the_address_path() {
    let (url, _) = server(|request| match request["method"].as_str().unwrap() {
        "sendTransaction" => {
            let error = json!({ "code": -32_002, "message": "Transaction simulation failed: Blockhash not found" });
            (200, "", json!({ "jsonrpc": "2.0", "id": 1, "error": error }).to_string())
        }
        "sendBundle" => (429, "retry-after: 2\r\n", "Rate limit exceeded".into()),
        "getLatestBlockhash" => (200, "", "<html>".into()),
        _ => ok(&json!({ "value": [null, null] })),
    });
    let client = RpcClient::new(&format!("{url}/v2/a-secret-key")).unwrap();
    let transactions = signed(true);
    let errors = [
        client.send_transaction(&transactions[0]).unwrap_err(),
        client.send_bundle(&transactions).unwrap_err(),
        client.latest_blockhash().unwrap_err(),
        client.signature_statuses(&[transactions[0].signature]).unwrap_err(),
    ];
    let texts = errors.each_ref().map(ToString::to_string);
    assert!(texts.iter().all(|text| text.starts_with(&url) && !text.contains("a-secret-key")), "{texts:?}");
    assert!(texts[0].ends_with("got error -32002: Transaction simulation failed: Blockhash not found"));
    assert!(
        matches!(&errors[1], RpcError::Http { status: 429, retry_after, .. } if *retry_after == Some(Duration::from_secs(2)))
    );
    assert!(texts[2].ends_with("expected JSON-RPC with a result or an error, got <html>"));
    assert!(texts[3].contains("expected a status or null for each signature"));
}

#[test]
fn a_server_that_repeats_the_address_tells_no_key() {
    let (url, _) = server(|request| match request["method"].as_str().unwrap() {
        "sendTransaction" => (
            200,
            "",
            json!({ "error": { "code": 1, "message": "no /v2/a-secret-key?api=another-secret" } }).to_string(),
        ),
        "getLatestBlockhash" => ok(&json!("a-secret-key")),
        _ => (403, "", "forbidden: /v2/a-secret-key?api=another-secret".into()),
    });
    let client = RpcClient::new(&format!("{url}/v2/a-secret-key?api=another-secret")).unwrap();
    let errors = [
        client.send_transaction(&signed(false)[0]).unwrap_err(),
        client.latest_blockhash().unwrap_err(),
        client.signature_statuses(&[]).unwrap_err(),
    ];
    let told = format!("{errors:?}");
    assert!(!told.contains("secret") && told.contains("forbidden: /v2/***?api=***"), "{told}");
}

#[test]
fn what_no_server_takes_is_not_sent() {
    let (url, asked) = server(|_| ok(&json!("")));
    let client = RpcClient::new(&url).unwrap();
    assert!(client.send_bundle(&signed(false)).unwrap_err().to_string().contains("expected one with a tip"));
    assert!(client.send_bundle(&[]).is_err());
    let six = [signed(true), signed(true), signed(true)].concat();
    assert!(client.send_bundle(&six).unwrap_err().to_string().contains("expected 1 to 5, got 6"));
    assert!(client.signature_statuses(&vec![Signature::new([1; 64]); 257]).is_err());
    assert!(asked.lock().unwrap().is_empty());
    for url in ["ftp://x", "localhost:8899", "http://"] {
        assert!(matches!(RpcClient::new(url), Err(RpcError::Argument { name: "url", .. })), "{url}");
    }
}

#[test]
fn a_server_that_is_not_there_is_told_without_its_path() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = RpcClient::new(&format!("http://user:pass@{free}/a-secret-key")).unwrap();
    let error = client.latest_blockhash().unwrap_err();
    assert!(matches!(error, RpcError::Unreachable { .. }), "{error}");
    let text = format!("{error} {error:?}");
    assert!(text.starts_with(&format!("http://{free}: expected an answer")), "{text}");
    assert!(!text.contains("secret") && !text.contains("pass"), "{text}");
}
