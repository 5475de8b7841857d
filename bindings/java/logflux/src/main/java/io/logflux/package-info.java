/** Encrypted logs: sealed inside the application, opened only by the holder of the secret. */
package io.logflux;
