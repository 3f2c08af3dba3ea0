#![allow(warnings)] // the document's own code, unchanged
include!(concat!(env!("OUT_DIR"), "/block_08.rs"));
