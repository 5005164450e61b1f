//! One request: through the map, the authority, the delay, and back.

use std::sync::{Arc, Mutex};

use hickory_proto::{
    op::{Header, HeaderCounts, Message, MessageType, Metadata},
    rr::Name,
};
use hickory_server::{
    net::{runtime, xfer::Protocol},
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    zone_handler::MessageResponseBuilder,
};
use mxdrill_net::live::{Clock, Serving};
use tokio::sync::Semaphore;

use super::{Map, lock, map};
use crate::{Authority, Response, Transport};

/// Answers held back at once. A delayed query beyond is dropped, as an overrun name server drops it: the tasks
/// of a flood stay bounded.
const DELAYED_MAX: usize = 1024;

pub(super) struct Handler {
    authority: Arc<Mutex<Authority>>,
    clock: Clock,
    map: Option<Arc<dyn Map>>,
    delayed: Semaphore,
}

impl Handler {
    pub(super) fn new(authority: Arc<Mutex<Authority>>, clock: Clock, map: Option<Arc<dyn Map>>) -> Handler {
        Handler { authority, clock, map, delayed: Semaphore::new(DELAYED_MAX) }
    }

    fn answer(&self, query: &[u8], request: &Request) -> Response {
        let via = match request.protocol() {
            Protocol::Udp => Transport::Udp,
            _ => Transport::Tcp,
        };
        let client = request.src().ip();
        let from = self.map.as_ref().map_or(client, |map| map.scenario(client));
        lock(&self.authority).answer(self.clock.now(), query, via, from)
    }

    /// The message to send, once it is time; `None` stays silent.
    async fn reply(&self, request: &Request, serving: &Serving) -> Option<Message> {
        let map = self.map.as_deref().filter(|map| map.is_foreign(request.src()));
        let rewritten = map.and_then(|map| map::question(map, request.as_slice()));
        let response = self.answer(rewritten.as_deref().unwrap_or(request.as_slice()), request);
        let mut message = Message::from_vec(&response.bytes?).ok()?;
        if let Some(map) = map {
            let asked = rewritten.and_then(|_| asked(request));
            map::answer(map, &mut message, asked.as_ref());
        }
        if !response.delay.is_zero() {
            let _room = self.delayed.try_acquire().ok()?;
            serving.sleep_until(self.clock.now() + response.delay).await;
        }
        Some(message)
    }
}

fn asked(request: &Request) -> Option<Name> {
    let [query] = request.queries.queries() else { return None };
    Some(query.original().name().clone())
}

#[async_trait::async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: runtime::Time>(
        &self,
        request: &Request,
        mut out: R,
    ) -> ResponseInfo {
        let serving = self.clock.serve(request.src()); // until it is answered, or will not be
        let Some(message) = self.reply(request, &serving).await else { return nothing(request) };
        let response = MessageResponseBuilder::new(&request.queries, message.edns.as_ref()).build(
            message.metadata,
            &message.answers,
            &message.authorities,
            [],
            &message.additionals,
        );
        out.send_response(response).await.unwrap_or_else(|error| {
            // the client has gone, or asks faster than it reads
            tracing::debug!(%error, "an answer was not sent");
            nothing(request)
        })
    }
}

/// What hickory-server wants to know about an answer that was not sent.
fn nothing(request: &Request) -> ResponseInfo {
    let metadata = Metadata::new(request.metadata.id, MessageType::Response, request.metadata.op_code);
    ResponseInfo::from(Header { metadata, counts: HeaderCounts::default() })
}
