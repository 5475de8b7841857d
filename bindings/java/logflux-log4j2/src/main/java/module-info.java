/** LogFlux as a plugin of Log4j 2. */
module io.logflux.log4j2 {
    requires transitive io.logflux;
    requires transitive org.apache.logging.log4j;
    requires transitive org.apache.logging.log4j.core;

    exports io.logflux.log4j2;

    opens io.logflux.log4j2 to org.apache.logging.log4j.core;
}
