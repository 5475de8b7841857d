/** A refusal, with the stage it happened at, or null. */
final class Refused extends RuntimeException {
    final String stage;

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
