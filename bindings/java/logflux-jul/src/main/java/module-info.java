/** LogFlux as a handler of {@code java.util.logging}. */
module io.logflux.jul {
    requires transitive io.logflux;
    requires transitive java.logging;

    exports io.logflux.jul;
}
