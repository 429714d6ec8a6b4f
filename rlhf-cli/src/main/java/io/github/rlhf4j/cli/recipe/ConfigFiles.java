package io.github.rlhf4j.cli.recipe;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.ppo.Dialect;
import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/** A {@link RecipeConfig} as YAML: reading over defaults, checking each key, writing, comparing. */
public final class ConfigFiles {

    private static final YAMLMapper YAML = YAMLMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
            .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
            .withCoercionConfig(
                    LogicalType.Integer, config -> config.setCoercion(CoercionInputShape.String, CoercionAction.Fail))
            .withCoercionConfig(
                    LogicalType.Float, config -> config.setCoercion(CoercionInputShape.String, CoercionAction.Fail))
            .build();

    private ConfigFiles() {}

    /**
     * The defaults, changed where the file says so.
     *
     * @throws InputException when the file is missing or no YAML, or naming the key that is unknown (and those it may have
     *     been meant for) or whose value does not fit
     */
    public static RecipeConfig read(Path file, RecipeConfig defaults) {
        return change(defaults, file, Map.of());
    }

    /**
     * One setting changed, as by {@code --set ppo.iterations=50}.
     *
     * @throws InputException as {@link #read}
     */
    public static RecipeConfig set(RecipeConfig config, String path, String value) {
        return set(config, Map.of(path, value));
    }

    /**
     * Settings changed together: what counts is whether all of them fit, in whatever order they come.
     *
     * @param settings values as YAML by key, such as {@code ppo.iterations}
     * @throws InputException as {@link #read}
     */
    public static RecipeConfig set(RecipeConfig config, Map<String, String> settings) {
        return change(config, null, settings);
    }

    /**
     * The defaults, changed by a file, if any, and then by settings. Rules between settings hold for the whole, so that a
     * file may leave to a flag what would not fit without it. A {@code ppo.dialect} that is not the defaults' changes them
     * first: what file and settings say beside it stands.
     *
     * @throws InputException as {@link #read}
     */
    public static RecipeConfig change(RecipeConfig defaults, @Nullable Path file, Map<String, String> settings) {
        ObjectNode merged = merge(defaults, Map.of(), file, settings);
        Dialect dialect = dialect(merged);
        if (dialect != null && dialect != defaults.ppo().dialect()) {
            merged = merge(defaults, DialectSettings.of(dialect), file, settings);
        }
        List<String> sources = new ArrayList<>();
        if (file != null) {
            sources.add(file.toString());
        }
        settings.keySet().forEach(path -> sources.add("--set " + path));
        return convert(merged, String.join(", ", sources));
    }

    private static ObjectNode merge(
            RecipeConfig defaults, Map<String, String> dialect, @Nullable Path file, Map<String, String> settings) {
        ObjectNode merged = YAML.valueToTree(defaults);
        dialect.forEach((path, value) -> merge("ppo.dialect", "", merged, parse(path, value)));
        if (file != null) {
            merge(file.toString(), "", merged, parse(file));
        }
        settings.forEach((path, value) -> {
            if (value.isBlank()) {
                throw new InputException("--set " + path + " has no value; give it one, or leave it out");
            }
            merge("--set " + path, "", merged, parse(path, value));
        });
        return merged;
    }

    /** Null where there is none, or none of that name. */
    private static @Nullable Dialect dialect(ObjectNode merged) {
        String name = merged.at("/ppo/dialect").asText();
        return Arrays.stream(Dialect.values())
                .filter(dialect -> dialect.name().equalsIgnoreCase(name))
                .findFirst()
                .orElse(null);
    }

    /**
     * What a file, or settings over it, say of one text, before any rule is asked of the whole.
     *
     * @return null when they say nothing of it
     * @throws InputException when the file is no YAML
     */
    public static @Nullable String text(@Nullable Path file, Map<String, String> settings, String path) {
        String pointer = "/" + path.replace('.', '/');
        String set = settings.get(path);
        JsonNode node = set != null
                ? parse(path, set).at(pointer)
                : file == null ? NullNode.instance : parse(file).at(pointer);
        return node.isTextual() ? node.textValue() : null;
    }

    private static ObjectNode parse(Path file) {
        JsonNode read;
        try {
            read = YAML.readTree(Files.readString(file));
        } catch (JacksonException e) {
            throw new InputException(file + notYaml(e), e);
        } catch (IOException e) {
            throw new InputException("cannot read the configuration " + file + ": " + reason(e), e);
        }
        if (read == null || read.isMissingNode() || read.isNull()) {
            return YAML.createObjectNode();
        }
        if (!(read instanceof ObjectNode changes)) {
            throw new InputException(file + " must hold keys and values, such as \"seed: 2\"; it holds " + read);
        }
        return changes;
    }

    /** Where and why: what YAML's own parser says, of which Jackson repeats the place where it began to look. */
    private static String notYaml(JacksonException e) {
        if (e.getCause() instanceof MarkedYAMLException parser && parser.getProblemMark() != null) {
            return ", line " + (parser.getProblemMark().getLine() + 1) + " is not valid YAML: " + parser.getProblem();
        }
        JsonLocation at = e.getLocation();
        return (at == null ? "" : ", line " + at.getLineNr()) + " is not valid YAML: "
                + firstLine(e.getOriginalMessage());
    }

    private static ObjectNode parse(String path, String value) {
        ObjectNode changes = YAML.createObjectNode();
        ObjectNode at = changes;
        String[] keys = path.split("\\.", -1);
        for (int i = 0; i < keys.length - 1; i++) {
            at = at.putObject(keys[i]);
        }
        try {
            JsonNode read = YAML.readTree(value);
            at.set(keys[keys.length - 1], read.isMissingNode() ? NullNode.instance : read);
        } catch (JacksonException e) {
            throw new InputException("the value of " + path + " is not valid YAML: " + value, e);
        }
        return changes;
    }

    /** The configuration as YAML. */
    public static String write(RecipeConfig config) {
        try {
            return YAML.writeValueAsString(config);
        } catch (JacksonException e) {
            throw new IllegalStateException("a configuration could not be written", e);
        }
    }

    /** The settings in which two configurations differ, as {@code key: first, second}. */
    public static List<String> differences(RecipeConfig first, RecipeConfig second) {
        List<String> differences = new ArrayList<>();
        compare("", YAML.valueToTree(first), YAML.valueToTree(second), differences);
        return differences;
    }

    private static void compare(String path, JsonNode first, JsonNode second, List<String> differences) {
        for (Map.Entry<String, JsonNode> entry : first.properties()) {
            JsonNode other = second.path(entry.getKey());
            if (entry.getValue().isObject()) {
                compare(path + entry.getKey() + ".", entry.getValue(), other, differences);
            } else if (!entry.getValue().equals(other)) {
                differences.add(path + entry.getKey() + ": " + entry.getValue() + ", " + other);
            }
        }
    }

    private static RecipeConfig convert(ObjectNode merged, String sources) {
        try {
            return YAML.treeToValue(merged, RecipeConfig.class);
        } catch (JsonMappingException e) {
            String path = e.getPath().stream()
                    .map(JsonMappingException.Reference::getFieldName)
                    .filter(Objects::nonNull) // places in a list have no name
                    .collect(Collectors.joining("."));
            String problem = e.getCause() instanceof IllegalArgumentException rule
                    ? rule.getMessage()
                    : "the value of " + path + " does not fit: it must be " + expected(path) + ", got "
                            + merged.at("/" + path.replace('.', '/'));
            throw new InputException(sources + ": " + problem, e);
        } catch (JacksonException e) {
            throw new InputException(sources + ": " + firstLine(e.getOriginalMessage()), e);
        }
    }

    /** What a key's value must be, by the type of its record component. */
    private static String expected(String path) {
        Class<?> type = RecipeConfig.class;
        Type generic = type;
        for (String key : path.split("\\.")) {
            RecordComponent component = Arrays.stream(type.getRecordComponents())
                    .filter(candidate -> candidate.getName().equals(key))
                    .findFirst()
                    .orElseThrow();
            type = component.getType();
            generic = component.getGenericType();
        }
        if (type == List.class && generic instanceof ParameterizedType list) {
            return "a list, [first, second], each " + expected((Class<?>) list.getActualTypeArguments()[0]);
        }
        return expected(type);
    }

    private static String expected(Class<?> type) {
        if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants())
                    .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
                    .collect(Collectors.joining(" or "));
        }
        return type == int.class
                ? "a whole number up to " + Integer.MAX_VALUE
                : type == long.class
                        ? "a whole number of at most 64 bits"
                        : type == double.class ? "a number" : type == boolean.class ? "true or false" : "a text";
    }

    private static void merge(String source, String path, ObjectNode into, ObjectNode changes) {
        for (Map.Entry<String, JsonNode> entry : changes.properties()) {
            String key = entry.getKey();
            JsonNode old = into.get(key);
            if (old == null) {
                throw new InputException(source + ": there is no setting " + path + key + suggestion(path, key, into));
            }
            if (old instanceof ObjectNode section) {
                if (!(entry.getValue() instanceof ObjectNode sectionChanges)) {
                    throw new InputException(source + ": " + path + key + " is a section with the keys " + keys(section)
                            + ", not a value; got " + entry.getValue());
                }
                merge(source, path + key + ".", section, sectionChanges);
            } else if (entry.getValue() instanceof NullNode
                    && !old.isNull()
                    && !path.equals("data.")
                    && !path.equals("base.")) {
                throw new InputException(source + ": " + path + key + " has no value; give it one or delete the line");
            } else {
                into.set(key, entry.getValue());
            }
        }
    }

    private static String suggestion(String path, String key, ObjectNode section) {
        List<String> near = keys(section).stream()
                .filter(known -> distance(known, key) <= Math.max(2, key.length() / 3)
                        || known.startsWith(key)
                        || key.startsWith(known))
                .sorted(Comparator.comparingInt(known -> distance(known, key)))
                .map(known -> path + known)
                .toList();
        return near.isEmpty()
                ? "; " + (path.isEmpty() ? "there are " : path + " has ") + String.join(", ", keys(section))
                : "; did you mean " + String.join(" or ", near) + "?";
    }

    private static List<String> keys(ObjectNode section) {
        List<String> keys = new ArrayList<>();
        section.fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    /** Levenshtein's distance, letter case aside. */
    private static int distance(String first, String second) {
        String a = first.toLowerCase(Locale.ROOT);
        String b = second.toLowerCase(Locale.ROOT);
        int[] row = new int[b.length() + 1];
        Arrays.setAll(row, j -> j);
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }

    private static String reason(IOException e) {
        if (e instanceof CharacterCodingException) {
            return "it is not a text in UTF-8; give a YAML file";
        }
        return e instanceof java.nio.file.NoSuchFileException
                ? "there is no such file"
                : String.valueOf(e.getMessage());
    }

    private static String firstLine(String message) {
        return message.lines().findFirst().orElse("");
    }
}
