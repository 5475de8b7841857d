package io.logflux;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.ContextClosedEvent;

/** An application of Spring Boot, whose logback-spring.xml has the appender. Its argument is how it ends. */
@Configuration
public class SpringProgram {
    private static final Logger LOG = LoggerFactory.getLogger(SpringProgram.class);

    @Bean
    ApplicationListener<ContextClosedEvent> last() {
        return event -> LOG.info("the context is closed");
    }

    public static void main(String[] arguments) throws Exception {
        SpringApplication application = new SpringApplication(SpringProgram.class);
        application.setWebApplicationType(WebApplicationType.NONE);
        application.run();
        LOG.info("it runs");
        switch (arguments[0]) {
            case "return":
                return;
            case "signal":
                new ProcessBuilder("kill", "-TERM", Long.toString(ProcessHandle.current().pid())).start();
                Thread.sleep(Long.MAX_VALUE);
                return;
            default:
                System.exit(3);
        }
    }
}
