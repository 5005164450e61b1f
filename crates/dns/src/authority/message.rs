//! Queries taken apart and answers put together.

use bytes::Bytes;
use hickory_proto::{
    op::{Edns, Header, Message, MessageType, Metadata, OpCode, ResponseCode},
    rr::{DNSClass, RecordType},
    serialize::binary::{BinDecodable, BinDecoder},
};

use super::{Response, Transport};

/// The datagram size that we tell clients, and the most that we send.
const PAYLOAD_MAX: u16 = 4096;

/// What a message turned out to be.
pub(super) enum Received {
    /// Not to be answered.
    Nothing,
    /// To be answered without looking anything up.
    Refused(Message),
    /// One question that we can look up.
    Query(Message),
}

/// Reads a message.
pub(super) fn receive(bytes: &[u8]) -> Received {
    let Ok(header) = Header::read(&mut BinDecoder::new(bytes)) else { return Received::Nothing };
    if header.metadata.message_type == MessageType::Response {
        return Received::Nothing;
    }
    // RFC 9619: one question a message. Asked before decoding, which would make room for all that are claimed
    if header.counts.queries != 1 {
        return Received::Refused(with_code(&header.metadata, ResponseCode::FormErr));
    }
    match Message::from_vec(bytes) {
        Ok(query) => match refusal(&query) {
            Some(code) => Received::Refused(refuse(&query, code)),
            None => Received::Query(query),
        },
        // the question cannot be trusted to have been understood, so it is not repeated
        Err(_) => Received::Refused(with_code(&header.metadata, ResponseCode::FormErr)),
    }
}

fn refusal(query: &Message) -> Option<ResponseCode> {
    if query.metadata.op_code != OpCode::Query {
        return Some(ResponseCode::NotImp);
    }
    // RFC 6891 6.1.3: a later version than ours
    if query.edns.as_ref().is_some_and(|edns| edns.version() > 0) {
        return Some(ResponseCode::BADVERS);
    }
    let [question] = &*query.queries else { return Some(ResponseCode::FormErr) };
    let transfer = matches!(question.query_type(), RecordType::AXFR | RecordType::IXFR);
    (question.query_class() != DNSClass::IN || transfer).then_some(ResponseCode::Refused)
}

fn with_code(request: &Metadata, code: ResponseCode) -> Message {
    let mut message = Message::response(request.id, request.op_code);
    message.metadata = Metadata::response_from_request(request);
    message.metadata.response_code = code;
    message
}

fn refuse(query: &Message, code: ResponseCode) -> Message {
    let mut message = respond(query);
    message.metadata.response_code = code;
    message
}

/// An empty answer to a query: its question, and EDNS where it had EDNS (RFC 6891 7).
pub(super) fn respond(query: &Message) -> Message {
    let mut message = with_code(&query.metadata, ResponseCode::NoError);
    message.metadata.recursion_available = true;
    message.queries = query.queries.clone();
    if let Some(theirs) = &query.edns {
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD_MAX).set_version(0).set_dnssec_ok(theirs.flags().dnssec_ok);
        message.set_edns(edns);
    }
    message
}

/// A message as it is.
pub(super) fn whole(message: &Message, response: Response) -> Response {
    Response { bytes: message.to_vec().ok().map(Bytes::from), ..response }
}

/// A message, cut when it does not fit into a datagram of the client's size (RFC 2181 9, RFC 6891 6.2.3).
pub(super) fn fitted(
    message: Message,
    truncate: bool,
    via: Transport,
    query: &Message,
    response: Response,
) -> Response {
    let whole = whole(&message, response);
    let room = usize::from(query.max_payload().min(PAYLOAD_MAX));
    let too_long = whole.bytes.as_ref().is_some_and(|bytes| bytes.len() > room);
    if via == Transport::Udp && (truncate || too_long) {
        return self::whole(&message.truncate(), whole);
    }
    whole
}
