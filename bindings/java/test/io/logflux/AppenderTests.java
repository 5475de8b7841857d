package io.logflux;

import static io.logflux.Runner.check;
import static io.logflux.Runner.equal;

import ch.qos.logback.classic.LoggerContext;
import io.logflux.jul.LogfluxHandler;
import io.logflux.logback.LogfluxAppender;
import java.time.Duration;
import java.util.List;
import java.util.logging.Logger;
import org.slf4j.MDC;
import org.slf4j.MarkerFactory;

/** Logback, Log4j 2 and java.util.logging. */
final class AppenderTests {
    private static final Duration ENOUGH = Duration.ofSeconds(60);

    private AppenderTests() {}

    private static LogfluxAppender appender(LoggerContext context, String node) throws Exception {
        Server server = Server.shared();
        LogfluxAppender appender = new LogfluxAppender();
        appender.setContext(context);
        appender.setServerUrl(server.url);
        appender.setApiKey(server.key);
        appender.setSecret(Server.SECRET);
        appender.setNode(node);
        for (String[] pair : new String[][] {{"mode", "128"}, {"caFile", server.data.resolve("ca.pem").toString()}, {"closeTimeout", "60s"}}) {
            LogfluxAppender.Setting setting = new LogfluxAppender.Setting();
            setting.setName(pair[0]);
            setting.setValue(pair[1]);
            appender.addSetting(setting);
        }
        return appender;
    }

    @Runner.Test
    static void logback() throws Exception {
        String node = Server.newNode();
        LoggerContext context = new LoggerContext();
        context.setMDCAdapter(new ch.qos.logback.classic.util.LogbackMDCAdapter());
        LogfluxAppender appender = appender(context, node);
        appender.start();
        appender.start();
        ch.qos.logback.classic.Logger log = context.getLogger("shop");
        log.setAdditive(false);
        log.setLevel(ch.qos.logback.classic.Level.TRACE);
        log.addAppender(appender);
        context.getMDCAdapter().put("request", "r1");
        log.info(MarkerFactory.getMarker("AUDIT"), "paid {}", 17);
        context.getMDCAdapter().remove("request");
        log.atWarn().addKeyValue("left", 2).log("low");
        log.error("failed", new IllegalStateException("on purpose"));
        log.trace("detail");
        // As Spring Boot does at its start.
        appender.stop();
        appender.start();
        log.info("again");
        appender.stop();
        List<String> entries = Server.shared().entries(node);
        equal(5, entries.size());
        String first = entries.get(0);
        check(first.contains("paid 17") && first.contains("\\\"target\\\":\\\"shop\\\"") && first.contains("\\\"request\\\":\\\"r1\\\"")
                && first.contains("\\\"markers\\\":[\\\"AUDIT\\\"]"), first);
        check(entries.get(1).contains("\\\"left\\\":2"), entries.get(1));
        check(entries.get(2).contains("IllegalStateException: on purpose"), entries.get(2));
        MDC.clear();
    }

    @Runner.Test
    static void logbackWithAWrongSettingGoesOnWithoutIt() throws Exception {
        LoggerContext context = new LoggerContext();
        LogfluxAppender appender = appender(context, "");
        appender.start();
        check(!appender.isStarted());
        check(context.getStatusManager().getCopyOfStatusList().toString().contains("node: "), "a status");
    }

    @Runner.Test
    static void javaUtilLogging() throws Exception {
        String node = Server.newNode();
        Client client = Server.shared().settings(node).open();
        Logger log = Logger.getLogger("jul");
        log.setUseParentHandlers(false);
        LogfluxHandler handler = new LogfluxHandler(client);
        log.addHandler(handler);
        log.log(java.util.logging.Level.SEVERE, "failed {0}", 17);
        log.log(java.util.logging.Level.WARNING, "thrown", new IllegalStateException("on purpose"));
        handler.close();
        log.removeHandler(handler);
        check(client.close(ENOUGH), client.stats());
        List<String> entries = Server.shared().entries(node);
        equal(2, entries.size());
        check(entries.get(0).contains("failed 17") && entries.get(0).contains("\\\"target\\\":\\\"jul\\\""), entries.get(0));
        check(entries.get(1).contains("IllegalStateException: on purpose"), entries.get(1));
    }

    @Runner.Test
    static void log4jConfiguresItselfFromVariables() throws Exception {
        Server server = Server.shared();
        String node = Server.newNode();
        Server.Done done = Server.program(server.environment(node), List.of(), "log4j", "return");
        equal(0, done.status());
        check(!done.stderr().contains("ERROR") && !done.stderr().contains("logflux: "), done.stderr());
        List<String> entries = server.entries(node);
        equal(Program.LINES, entries.size());
        check(entries.get(0).contains("\\\"target\\\":\\\"app\\\"") && entries.get(0).contains("line 0"), entries.get(0));
        check(entries.get(Program.LINES - 1).contains("line 49"), entries.get(Program.LINES - 1));
    }
}
