package io.logflux;

/** The version of this artifact. */
final class Version {
    static final String NUMBER = "0.1.0";

    private Version() {}
}
