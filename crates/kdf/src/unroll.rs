//! Loops that are unrolled for certain, so that what depends on their counter is a constant.

/// Runs its body for each of sixteen constants, unrolled.
macro_rules! sixteen {
    ($i:ident => $body:block) => {
        $crate::unroll::sixteen!(@ $i $body 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    (@ $i:ident $body:block $($n:literal)*) => {
        $({ const $i: usize = $n; $body })*
    };
}

pub(crate) use sixteen;
