/** Encrypted logs: sealed inside the application, opened only by the holder of the secret. */
module io.logflux {
    exports io.logflux;
}
