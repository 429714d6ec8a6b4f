package consumer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the README and docs/testkit.md show compiles against what the README says to depend on, so that it cannot rot.
 *
 * <p>A {@code java} block that declares a top-level type is a compilation unit. Any other is the body of a method; its own
 * import lines move to the top.
 */
class ReadmeTest {

    private static final Pattern TYPE =
            Pattern.compile("^(?:public |final |abstract )*(?:class|record|interface|enum) (\\w+)", Pattern.MULTILINE);
    private static final Pattern IMPORT = Pattern.compile("^import .*;\\R?", Pattern.MULTILINE);

    @TempDir
    Path directory;

    private static List<String> blocks(String language) throws IOException {
        Path file = Path.of(System.getProperty("readme"));
        String readme = Files.readString(file) + Files.readString(file.resolveSibling("docs/testkit.md"));
        Matcher matcher = Pattern.compile("^```" + language + "\\R(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(readme);
        List<String> blocks = new ArrayList<>();
        while (matcher.find()) {
            blocks.add(matcher.group(1));
        }
        return blocks;
    }

    private static String unit(String name, String block) {
        if (TYPE.matcher(block).find()) {
            return block;
        }
        StringBuilder imports = new StringBuilder();
        Matcher matcher = IMPORT.matcher(block);
        while (matcher.find()) {
            imports.append(matcher.group());
        }
        String body = matcher.reset().replaceAll("");
        return imports + "class " + name + " {\n    void code() throws Exception {\n" + body + "\n    }\n}\n";
    }

    @Test
    void everyJavaBlockCompiles() throws IOException {
        List<String> blocks = blocks("java");
        assertThat(blocks).as("java blocks of the README").hasSizeGreaterThanOrEqualTo(3);
        List<String> options = List.of(
                "--release",
                "17",
                "-proc:none",
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                directory.toString());
        List<String> files = new ArrayList<>();
        for (int i = 0; i < blocks.size(); i++) {
            Matcher type = TYPE.matcher(blocks.get(i));
            String name = type.find() ? type.group(1) : "Block" + i;
            Path file = Files.createDirectories(directory.resolve("source" + i)).resolve(name + ".java");
            Files.writeString(file, unit(name, blocks.get(i)));
            files.add(file.toString());
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter problems = new StringWriter();
        boolean compiled;
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            compiled = compiler.getTask(
                            problems, manager, null, options, null, manager.getJavaFileObjectsFromStrings(files))
                    .call();
        }
        assertThat(compiled).as("%s", problems).isTrue();
    }

    /** A test that the README shows is one of this project, to the letter but for its package and javadoc. */
    @Test
    void theTestsItShowsAreTestsThatRun() throws IOException {
        Path tests = Path.of(System.getProperty("pom")).resolveSibling("src/test/java/consumer");
        int shown = 0;
        for (String block : blocks("java")) {
            Matcher type = TYPE.matcher(block);
            if (type.find() && type.group(1).endsWith("Test")) {
                String source = Files.readString(tests.resolve(type.group(1) + ".java"));
                assertThat(withoutJavadoc(block)).isEqualTo(withoutJavadoc(source.replaceFirst("package .*;", "")));
                shown++;
            }
        }
        assertThat(shown).as("tests that the README shows").isGreaterThanOrEqualTo(2);
    }

    private static String withoutJavadoc(String code) {
        return code.replaceAll("(?m)^ */\\*\\*.*\\*/\\R", "").strip();
    }

    @Test
    void theDependenciesItShowsAreTheOnesThisProjectHas() throws IOException {
        String pom = withoutSpace(Files.readString(Path.of(System.getProperty("pom"))));
        List<String> blocks = blocks("xml");
        assertThat(blocks).as("xml blocks of the README").isNotEmpty();
        for (String block : blocks) {
            Matcher dependency = Pattern.compile("<dependency>.*?</dependency>", Pattern.DOTALL)
                    .matcher(block);
            while (dependency.find()) {
                assertThat(pom).contains(withoutSpace(dependency.group()));
            }
        }
    }

    private static String withoutSpace(String text) {
        return text.replaceAll("\\s+", "");
    }
}
