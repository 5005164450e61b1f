//! A question on the wire.

use bytes::Bytes;
use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query},
    rr::DNSClass,
};

use super::Key;
use crate::wire;

/// The question as a datagram; `None` when the name has no wire form.
pub(crate) fn encode(id: u16, (name, kind): &Key, edns: Option<u16>) -> Option<Bytes> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    // RFC 6840 5.7: asks for the AD bit without asking for signatures
    message.metadata.authentic_data = true;
    message.add_query(Query::query(wire::name(name)?, wire::kind(*kind)));
    if let Some(size) = edns {
        let mut edns = Edns::new();
        edns.set_max_payload(size).set_version(0);
        message.set_edns(edns);
    }
    message.to_vec().ok().map(Bytes::from)
}

/// A message that may be an answer: one question, decoded without trusting the counts in its header.
pub(crate) fn decode(bytes: &[u8]) -> Option<Message> {
    let one_question = bytes.get(4..6)? == [0, 1];
    one_question.then(|| Message::from_vec(bytes).ok())?
}

/// Whether a message answers this very question (RFC 5452 9.1).
pub(crate) fn answers(message: &Message, (name, kind): &Key) -> bool {
    let asked = |query: &Query| {
        query.query_class() == DNSClass::IN
            && query.query_type() == wire::kind(*kind)
            && wire::name(name).is_some_and(|name| name == *query.name())
    };
    message.metadata.message_type == MessageType::Response
        && message.metadata.op_code == OpCode::Query
        && matches!(&*message.queries, [query] if asked(query))
}
