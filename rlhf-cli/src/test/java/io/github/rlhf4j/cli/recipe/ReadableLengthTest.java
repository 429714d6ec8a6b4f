package io.github.rlhf4j.cli.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.tokenizer.BytePairTrainer;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReadableLengthTest {

    private final Tokenizer bytes = new BytePairTrainer(260)
            .withSpecialTokens(RoleChatFormat.specialTokens().toArray(String[]::new))
            .train(List.of("no merges"))
            .tokenizer();
    private final RoleChatFormat format = new RoleChatFormat(bytes);

    /** Also where what is left of a cut character is longer than the room. */
    @Test
    void anAnswerIsCutToWhateverRoomThePromptLeaves() {
        for (String answer : List.of("star", "\uFFFD\uFFFD\uFFFD")) {
            Exchange exchange = Exchange.of("why", answer);
            int prompt = format.prompt(exchange.conversation()).length();
            for (int room = 1; room <= 12; room++) {
                ReadableLength readable = new ReadableLength(bytes, format, prompt + room);

                assertThat(format.response(readable.fit(exchange).response()).length())
                        .as("%s in a room of %d", answer, room)
                        .isLessThanOrEqualTo(room);
                assertThat(readable.hasRoom(exchange)).isTrue();
            }
            assertThat(new ReadableLength(bytes, format, prompt).hasRoom(exchange))
                    .isFalse();
        }
    }
}
