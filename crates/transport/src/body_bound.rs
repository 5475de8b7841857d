//! How long the body of a request may be, over a connection that may be slow.

/// The most bytes in one request, unless a single entry is longer.
pub(crate) const BODY_MAX: usize = 4 << 20;
/// Where requests take too long, the bound shrinks down to this.
const BODY_LEAST: usize = 64 << 10;

/// The bound for the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyBound(usize);

impl Default for BodyBound {
    fn default() -> Self {
        Self(BODY_MAX)
    }
}

impl BodyBound {
    pub(crate) fn get(self) -> usize {
        self.0
    }

    /// A request took too long: the next ones are shorter, so that a slow connection carries them
    /// before they time out as well.
    pub(crate) fn shorten(&mut self) {
        self.0 = (self.0 / 4).max(BODY_LEAST);
    }

    pub(crate) fn can_be_shorter(self) -> bool {
        self.0 > BODY_LEAST
    }

    /// A request was answered in time: the next ones may be a little longer. It grows slowly, since each
    /// request that takes too long again costs a whole timeout.
    pub(crate) fn lengthen(&mut self) {
        self.0 = (self.0 + BODY_LEAST).min(BODY_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shrinks_to_what_a_slow_connection_carries_and_grows_again() {
        let mut bound = BodyBound::default();
        let mut shorter = Vec::new();
        while bound.can_be_shorter() {
            bound.shorten();
            shorter.push(bound.get());
        }
        assert_eq!(shorter, [1 << 20, 256 << 10, 64 << 10]);
        for _ in 0..63 {
            assert!(bound.get() < BODY_MAX);
            bound.lengthen();
        }
        assert_eq!(bound, BodyBound::default());
        bound.lengthen();
        assert_eq!(bound, BodyBound::default());
    }
}
