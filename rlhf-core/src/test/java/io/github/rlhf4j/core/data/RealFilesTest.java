package io.github.rlhf4j.core.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.Role;
import io.github.rlhf4j.core.test.SharedData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files people have, read whole; counts are those of an independent reading of the same files. */
class RealFilesTest {

    @TempDir
    Path directory;

    private static List<Ranking> list(PreferenceDataset dataset) {
        return StreamSupport.stream(dataset.spliterator(), false).toList();
    }

    private void assertRoundTrip(List<Ranking> rankings) throws IOException {
        Path file = directory.resolve("kept.jsonl.gz");
        PreferenceFiles.write(file, rankings);
        assertThat(list(PreferenceFiles.read(file))).isEqualTo(rankings);
    }

    @Test
    void anthropicHarmless() throws IOException {
        List<Ranking> pairs = list(PreferenceFiles.read(SharedData.file("data/hh-rlhf-harmless/test.jsonl.gz")));
        assertThat(pairs).hasSize(2312).allMatch(pair -> pair.pairCount() == 1);
        Ranking second = pairs.get(1);
        assertThat(second.conversation().messages()).hasSize(5);
        assertThat(second.conversation().messages().get(0))
                .isEqualTo(Message.user("How much alcohol can I drink per day?"));
        assertThat(second.conversation().last())
                .isEqualTo(Message.user("I feel much better when I get drunk and consume a lot of alcohol."));
        assertThat(second.responses().get(0)).startsWith("Sounds like alcohol is something you use to calm down");
        assertThat(second.responses().get(1)).startsWith("I’m glad that you’re enjoying");
        assertThat(pairs).allMatch(pair -> pair.conversation().last().role() == Role.USER);
        // People preferred silence four times.
        assertThat(pairs).filteredOn(pair -> pair.responses().get(0).isEmpty()).hasSize(4);
        assertRoundTrip(pairs);
    }

    /** Where two transcripts part in the last turn only, as all but five do, the responses are their last turns. */
    @Test
    void anthropicResponsesAreTheLastTurns() throws IOException {
        Path file = SharedData.file("data/hh-rlhf-harmless/test.jsonl.gz");
        Iterator<Ranking> pairs = PreferenceFiles.read(file).iterator();
        AtomicInteger partEarlier = new AtomicInteger();
        JsonRows.forEach(file, row -> {
            Ranking pair = pairs.next();
            String chosen = row.text("chosen");
            String rejected = row.text("rejected");
            int chosenLast = chosen.lastIndexOf("\n\nAssistant:");
            int rejectedLast = rejected.lastIndexOf("\n\nAssistant:");
            if (chosen.substring(0, chosenLast).equals(rejected.substring(0, rejectedLast))) {
                assertThat(pair.responses().get(0))
                        .endsWith(chosen.substring(chosenLast + 12).strip());
                assertThat(pair.responses().get(1))
                        .endsWith(rejected.substring(rejectedLast + 12).strip());
            } else {
                partEarlier.incrementAndGet();
            }
        });
        assertThat(partEarlier).hasValue(5);
    }

    @Test
    void llamaFactoryPairs() throws IOException {
        List<Ranking> pairs = list(PreferenceFiles.read(SharedData.file("data/llamafactory-demo/dpo_en_demo.json")));
        assertThat(pairs).hasSize(300);
        assertThat(pairs)
                .filteredOn(pair -> pair.conversation().messages().size() > 1)
                .hasSize(186);
        assertThat(pairs)
                .filteredOn(pair -> pair.conversation().messages().get(0).role() == Role.SYSTEM)
                .isNotEmpty();
        assertThat(pairs.get(0).conversation().lastUserText()).startsWith("Hi! I'd like to create a new language game");
        assertRoundTrip(pairs);
    }

    @Test
    void openAssistantTrees() throws IOException {
        Path file = SharedData.file("data/oasst-100-trees/en_100_tree.jsonl");
        List<Ranking> rankings = list(PreferenceFiles.read(file));
        assertThat(rankings).hasSize(212);
        assertThat(rankings).filteredOn(ranking -> ranking.size() == 9).hasSize(1);
        assertThat(rankings).filteredOn(ranking -> ranking.size() == 2).hasSize(57);
        assertThat(rankings).allMatch(ranking -> ranking.pairCount() == ranking.size() * (ranking.size() - 1) / 2);
        assertRoundTrip(rankings);

        assertThat(PromptFiles.read(file))
                .hasSize(100)
                .allMatch(prompt -> prompt.messages().size() == 1);
        List<Demonstration> demonstrations = DemonstrationFiles.read(file);
        assertThat(demonstrations).hasSizeGreaterThanOrEqualTo(90);
        assertThat(demonstrations)
                .anyMatch(
                        demonstration -> demonstration.conversation().messages().size() >= 4);
    }

    @Test
    void alpaca() throws IOException {
        List<Demonstration> demonstrations =
                DemonstrationFiles.read(SharedData.file("data/llamafactory-demo/alpaca_en_demo.json"));
        assertThat(demonstrations).hasSize(999);
        assertThat(demonstrations.get(0).conversation().lastUserText())
                .isEqualTo("Describe a process of making crepes.");
        Path file = directory.resolve("kept.jsonl");
        DemonstrationFiles.write(file, demonstrations);
        assertThat(DemonstrationFiles.read(file)).isEqualTo(demonstrations);
    }

    @Test
    void gradeSchoolMath() throws IOException {
        List<Demonstration> demonstrations = DemonstrationFiles.read(SharedData.file("data/gsm8k/test.jsonl"));
        assertThat(demonstrations).hasSize(1319);
        assertThat(demonstrations.get(0).conversation().last().content()).endsWith("#### 18");
        assertThat(PromptFiles.read(SharedData.file("data/gsm8k/test.jsonl"))).hasSize(1319);
    }

    @Test
    void promptsThatAreTextsByThemselves() throws IOException {
        List<Conversation> prompts =
                PromptFiles.read(SharedData.file("data/oasst-100-trees/prompt_lottery_en_250_text.jsonl"));
        assertThat(prompts).hasSize(250).startsWith(Conversation.of("Can you tell me about GLaDOS?"));
    }

    @Test
    void texts() throws IOException {
        assertThat(TextFiles.read(SharedData.file("data/llamafactory-demo/c4_demo.jsonl")))
                .hasSize(300);
        Path shakespeare = SharedData.file("data/tinyshakespeare/input.txt");
        assertThat(TextFiles.read(shakespeare)).hasSize(7222);
        assertThat(TextFiles.read(shakespeare, TextFiles.Split.WHOLE_FILE))
                .singleElement()
                .satisfies(text -> assertThat(text).hasSize(1_115_394));
        Path names = SharedData.file("data/makemore-names/names.txt");
        assertThat(TextFiles.read(names, TextFiles.Split.LINES)).hasSize(32_033).startsWith("emma", "olivia");
    }
}
