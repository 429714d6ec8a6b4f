package io.github.rlhf4j.benchmarks;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.random.RandomKey;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** How stories begin: who, where and what happened first, in all combinations, in a fixed random order. */
final class StoryOpenings {

    private static final List<String> WHO = List.of(
            "a little girl named Lily",
            "a boy named Tim",
            "a small dog named Max",
            "a cat named Tom",
            "a big bear",
            "an old man",
            "a bird named Sue",
            "a rabbit named Ben");
    private static final List<String> FIRST = List.of(
            "One day, it was raining outside.",
            "One day, a toy was broken.",
            "One day, the sun was hot.",
            "He saw a box under the tree.",
            "They went to the park with a ball.",
            "There was a noise in the house.",
            "It was time to go to bed.",
            "A new friend came to the door.",
            "The cake was on the table.",
            "The water in the lake was cold.");
    private static final List<String> TIME =
            List.of("Once upon a time, there was", "There once was", "Long ago, there was");

    private StoryOpenings() {}

    static List<Conversation> all() {
        List<Conversation> all = new ArrayList<>();
        for (String time : TIME) {
            for (String who : WHO) {
                for (String first : FIRST) {
                    all.add(Conversation.of(time + " " + who + ". " + first));
                }
            }
        }
        int[] order = RandomKey.of(2).child("openings").permutation(all.size());
        return IntStream.of(order).mapToObj(all::get).toList();
    }
}
