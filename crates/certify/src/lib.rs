//! The vectors that every LogFlux implementation must agree with, and what runs them.
