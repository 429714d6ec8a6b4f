package consumer;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.ppo.DialogueEnvironment;
import io.github.rlhf4j.ppo.Reaction;
import io.github.rlhf4j.testkit.DialogueEnvironmentContract;
import io.github.rlhf4j.testkit.LetterTokenizer;
import java.util.List;

/** The contract test of an environment in docs/testkit.md, run. */
class GuessingTest extends DialogueEnvironmentContract {

    private final LetterTokenizer letters = new LetterTokenizer(3);

    @Override
    protected DialogueEnvironment environment() {
        return dialogue -> {
            if (dialogue.turnText().equals("b")) {
                return Reaction.end(1);
            }
            return dialogue.turn() == 2 ? Reaction.end(0) : Reaction.goOn(0, letters.encode("ca"));
        };
    }

    @Override
    protected Tokenizer tokenizer() {
        return letters;
    }

    @Override
    protected List<Prompt> prompts() {
        return List.of(new Prompt(Conversation.of("a"), letters.encode("a")));
    }

    @Override
    protected List<String> turns() {
        return List.of("a", "b", "c");
    }
}
