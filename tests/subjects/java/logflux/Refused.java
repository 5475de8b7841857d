package logflux;

/** A refusal, with the stage it happened at, or null. */
public final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;

    public final String stage;

    Refused(String stage) {
        super("refused at stage " + stage, null, false, false);
        this.stage = stage;
    }

    static void unless(boolean so, String stage) {
        if (!so) {
            throw new Refused(stage);
        }
    }
}
