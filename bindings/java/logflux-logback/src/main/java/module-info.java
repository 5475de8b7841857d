/** LogFlux as an appender of Logback. */
module io.logflux.logback {
    requires transitive io.logflux;
    requires transitive ch.qos.logback.classic;
    requires transitive ch.qos.logback.core;
    requires org.slf4j;

    exports io.logflux.logback;
}
