package io.github.rlhf4j.core.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.rlhf4j.core.internal.Json;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A configuration record as JSON. A nested record carries its class's name where the component is declared as an interface
 * (a schedule, a controller), so that two kinds with the same fields stay apart.
 */
final class ConfigTree {

    /** A setting of memory and speed, in which a resumed run may differ. */
    private static final String FREE_SETTING = "microBatchTokens";

    private static final String KIND = "kind";

    private ConfigTree() {}

    /** The tree as it would be read back from a file, so that trees from memory and from files compare. */
    static JsonNode of(Object config) {
        try {
            return Json.MAPPER.readTree(Json.MAPPER.writeValueAsBytes(tree(config, config.getClass())));
        } catch (java.io.IOException e) {
            throw new IllegalArgumentException("the configuration " + config + " cannot be written as JSON", e);
        }
    }

    private static JsonNode tree(@Nullable Object value, Class<?> declared) {
        if (value == null) {
            return NullNode.instance;
        } else if (value instanceof Record) {
            return record((Record) value, declared);
        } else if (value instanceof Enum<?> constant) {
            return TextNode.valueOf(constant.name());
        } else if (value instanceof java.nio.file.Path path) {
            return TextNode.valueOf(path.toString());
        } else if (value instanceof Map<?, ?> map) {
            Map<String, JsonNode> sorted = new TreeMap<>();
            map.forEach((k, v) -> sorted.put(String.valueOf(k), tree(v, Object.class)));
            return Json.object().setAll(sorted);
        } else if (value instanceof Set<?> set) {
            return array(sorted(set));
        } else if (value instanceof Collection<?> collection) {
            return array(collection);
        }
        return Json.MAPPER.valueToTree(value);
    }

    private static ObjectNode record(Record value, Class<?> declared) {
        ObjectNode node = Json.object();
        if (declared != value.getClass()) {
            node.put(KIND, value.getClass().getSimpleName());
        }
        for (RecordComponent component : value.getClass().getRecordComponents()) {
            try {
                component.getAccessor().setAccessible(true); // a private or local record
                node.set(component.getName(), tree(component.getAccessor().invoke(value), component.getType()));
            } catch (ReflectiveOperationException e) {
                throw new IllegalArgumentException("the component " + component + " cannot be read", e);
            }
        }
        return node;
    }

    private static ArrayNode array(Collection<?> values) {
        ArrayNode array = Json.MAPPER.createArrayNode();
        values.forEach(value -> array.add(tree(value, Object.class)));
        return array;
    }

    /** A set has no order, so its members are written in one: by their text. */
    private static List<?> sorted(Set<?> set) {
        List<Object> members = new ArrayList<>(set);
        members.sort(java.util.Comparator.comparing(String::valueOf));
        return members;
    }

    /** The settings that differ, each as {@code path was x, is y}. */
    static List<String> differences(JsonNode saved, JsonNode current) {
        List<String> found = new ArrayList<>();
        compare("", saved, current, found);
        return found;
    }

    private static void compare(String path, JsonNode saved, JsonNode current, List<String> found) {
        if (saved.isObject() && current.isObject()) {
            Set<String> names = new TreeSet<>();
            saved.fieldNames().forEachRemaining(names::add);
            current.fieldNames().forEachRemaining(names::add);
            names.remove(FREE_SETTING);
            for (String name : names) {
                compare(path.isEmpty() ? name : path + "." + name, saved.path(name), current.path(name), found);
            }
        } else if (!saved.equals(current)) {
            found.add(path + " was " + show(saved) + ", is " + show(current));
        }
    }

    private static String show(JsonNode node) {
        if (node.isMissingNode()) {
            return "absent";
        }
        try {
            return Json.MAPPER.writeValueAsString(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree can always be written", e);
        }
    }
}
