//! A tap between a client and the proxy: passes every datagram on, and remembers it.

use super::*;

/// A relay between one client and the proxy that records every datagram.
#[derive(Debug)]
pub(crate) struct Tap {
    /// Where the client sends instead of to the proxy.
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<Vec<(Way, Message)>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// One direction of a tap.
struct Relay {
    way: Way,
    from: Phone,
    over: Phone,
    proxy: SocketAddr,
    client: Arc<Mutex<Option<SocketAddr>>>,
    log: Arc<Mutex<Vec<(Way, Message)>>>,
    stop: Arc<AtomicBool>,
}

impl Relay {
    fn run(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            if let Some(message) = self.from.receive_within(Duration::from_millis(100)) {
                self.pass(message);
            }
        }
    }

    fn pass(&self, message: Message) {
        if self.way == Way::ToProxy {
            *self.client.lock().unwrap() = Some(message.from);
        }
        let to = if self.way == Way::ToProxy { Some(self.proxy) } else { *self.client.lock().unwrap() };
        self.log.lock().unwrap().push((self.way, message.clone()));
        if let Some(to) = to {
            self.over.send(to, &message.text);
        }
    }
}

/// The direction of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    ToProxy,
    ToClient,
}

impl Tap {
    pub(crate) fn before(proxy: SocketAddr) -> Self {
        let (front, back) = (Phone::new(), Phone::new());
        let address = front.address;
        let log = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let client = Arc::new(Mutex::new(None));
        let relay = |way: Way, from: &Phone, over: &Phone| {
            let relay = Relay {
                way,
                from: from.again(),
                over: over.again(),
                proxy,
                client: Arc::clone(&client),
                log: Arc::clone(&log),
                stop: Arc::clone(&stop),
            };
            thread::spawn(move || relay.run())
        };
        let threads = vec![relay(Way::ToProxy, &front, &back), relay(Way::ToClient, &back, &front)];
        Self { address, log, stop, threads }
    }

    /// The messages with this method that went in one direction.
    pub(crate) fn saw(&self, way: Way, method: &str) -> Vec<Message> {
        let log = self.log.lock().unwrap();
        log.iter()
            .filter(|(went, message)| *went == way && message.method() == method)
            .map(|(_, m)| m.clone())
            .collect()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}
