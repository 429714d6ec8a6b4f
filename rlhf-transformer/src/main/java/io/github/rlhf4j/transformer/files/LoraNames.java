package io.github.rlhf4j.transformer.files;

import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.LoraPlace;
import io.github.rlhf4j.transformer.model.LoraTarget;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What PEFT calls the adapters of a model: those of the layers that a family's files have, which for queries, keys and values may
 * be one or three.
 */
record LoraNames(ModelFamily family, TransformerConfig config, boolean scalar) {

    private static final String PREFIX = "base_model.model.";

    private static final String WEIGHT = ".weight";

    /** A scalar model's head. */
    static final String HEAD = PREFIX + ModelDirectory.SCORE_HEAD;

    /** The tensors A and B of all places, {@code [r, in]} and {@code [out, r]}, and the head if wanted. */
    List<StoredPart> parts(LoraConfig lora, boolean head) {
        List<StoredPart> layout = family.layout(config, scalar);
        List<StoredPart> parts = new ArrayList<>();
        for (LoraPlace place : LoraPlace.of(config, lora)) {
            StoredPart layer = layer(layout, place)
                    .orElseThrow(() -> new IllegalArgumentException("PEFT has no layer for " + place.target() + " in "
                            + family.className() + ", whose layers are other projections; targets there are: "
                            + known(layout)));
            String name = PREFIX + module(layer);
            parts.add(StoredPart.transposed(name + ".lora_A.weight", place.a()));
            parts.add(StoredPart.columns(name + ".lora_B.weight", place.b(), 0, StoredPart.ALL, layer.pairedHead()));
        }
        if (head) {
            parts.add(StoredPart.asItIs(HEAD, ModelDirectory.SCORE_HEAD));
        }
        return parts;
    }

    /** The layer in the family's files that holds just these columns. */
    private static Optional<StoredPart> layer(List<StoredPart> layout, LoraPlace place) {
        return layout.stream()
                .filter(part -> part.parameter().equals(place.linear() + WEIGHT))
                .filter(part -> part.count() == StoredPart.ALL
                        ? place.isWhole()
                        : part.from() == place.from() && part.count() == place.count())
                .findFirst();
    }

    private static String module(StoredPart layer) {
        return layer.name().substring(0, layer.name().length() - WEIGHT.length());
    }

    /** The targets that are layers of this family. */
    Set<LoraTarget> known() {
        return known(family.layout(config, scalar));
    }

    private Set<LoraTarget> known(List<StoredPart> layout) {
        Set<LoraTarget> known = EnumSet.noneOf(LoraTarget.class);
        for (LoraTarget target : LoraTarget.values()) {
            if (firstPlace(target).flatMap(place -> layer(layout, place)).isPresent()) {
                known.add(target);
            }
        }
        return known;
    }

    /** Empty where the model lacks the target. */
    private Optional<LoraPlace> firstPlace(LoraTarget target) {
        if (target == LoraTarget.GATE && !config.activation().gated()) {
            return Optional.empty();
        }
        return Optional.of(LoraPlace.of(config, LoraConfig.defaults().withTargets(Set.of(target)))
                .get(0));
    }

    /** The targets of which a file has tensors for the first block. */
    Set<LoraTarget> targetsIn(TensorFile file) throws IOException {
        List<StoredPart> layout = family.layout(config, scalar);
        Set<LoraTarget> found = EnumSet.noneOf(LoraTarget.class);
        for (LoraTarget target : known(layout)) {
            String module = module(
                    firstPlace(target).flatMap(place -> layer(layout, place)).orElseThrow());
            if (file.tensors().containsKey(PREFIX + module + ".lora_A.weight")) {
                found.add(target);
            }
        }
        if (found.isEmpty()) {
            throw new IOException(file.path() + ": holds no adapter of a " + family.className()
                    + "'s projections in its first block; its first tensors are "
                    + file.tensors().keySet().stream().limit(8).toList());
        }
        return found;
    }

    /** The last part of the layers' names, or as much as tells them from layers that are not adapted. */
    Set<String> targetModules(LoraConfig lora) {
        List<StoredPart> layout = family.layout(config, scalar);
        Set<String> adapted = new TreeSet<>();
        for (LoraPlace place : LoraPlace.of(config, lora)) {
            layer(layout, place).ifPresent(layer -> adapted.add(module(layer)));
        }
        Set<String> modules = new TreeSet<>();
        for (String module : adapted) {
            String last = end(module, 1);
            boolean ambiguous = layout.stream()
                    .filter(part -> part.name().endsWith(WEIGHT))
                    .map(LoraNames::module)
                    .anyMatch(other -> end(other, 1).equals(last) && !adapted.contains(other));
            modules.add(ambiguous ? end(module, 2) : last);
        }
        return modules;
    }

    private static String end(String module, int parts) {
        String[] all = module.split("\\.");
        int from = Math.max(0, all.length - parts);
        return String.join(".", List.of(all).subList(from, all.length));
    }
}
