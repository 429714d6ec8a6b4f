package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.cli.taste.GlossTaste;
import io.github.rlhf4j.cli.taste.Lexicon;
import io.github.rlhf4j.cli.wordnet.DictionaryEntry;
import io.github.rlhf4j.cli.wordnet.DictionarySplit;
import io.github.rlhf4j.cli.wordnet.WordQuestions;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.data.DemonstrationFiles;
import io.github.rlhf4j.core.data.PreferenceFiles;
import io.github.rlhf4j.core.data.PromptFiles;
import io.github.rlhf4j.core.data.Splits;
import io.github.rlhf4j.core.data.Splits.Parts;
import io.github.rlhf4j.core.data.TextFiles;
import io.github.rlhf4j.core.random.RandomKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the stages learn from, each kind in a part to train on and one held out.
 *
 * @param documents to pretrain on
 * @param demonstrations to fine-tune on
 * @param prompts to sample answers to
 * @param preferences the user's own, or null where a labeler is simulated
 * @param taste the simulated labeler's, or null where preferences are the user's own
 */
public record RecipeData(
        Parts<String> documents,
        Parts<Demonstration> demonstrations,
        Parts<Conversation> prompts,
        @Nullable Parts<Ranking> preferences,
        @Nullable GlossTaste taste) {

    /**
     * The user's files where the configuration names them. Without own demonstrations or prompts, those of the user's own
     * preferences serve: the chosen answers, and the prompts. All else is the dictionary's.
     *
     * @param dictionary asked for only when a part of it is needed
     * @throws InputException when a file is missing, broken or too small
     */
    public static RecipeData load(RecipeConfig config, Supplier<List<DictionaryEntry>> dictionary) {
        return new Loader(config, dictionary).load();
    }

    private static final class Loader {

        private final RecipeConfig config;
        private final Supplier<List<DictionaryEntry>> dictionary;
        private final WordQuestions questions;
        private @Nullable DictionarySplit words;

        Loader(RecipeConfig config, Supplier<List<DictionaryEntry>> dictionary) {
            this.config = config;
            this.dictionary = dictionary;
            this.questions = new WordQuestions(config.seed());
        }

        RecipeData load() {
            RecipeConfig.Data files = config.data();
            Parts<String> documents = documents(files.text());
            Parts<Ranking> preferences = preferences(files.preferences());
            Parts<Demonstration> demonstrations = demonstrations(files.demonstrations(), preferences);
            Parts<Conversation> prompts = prompts(files.prompts(), preferences);
            GlossTaste taste = preferences == null ? taste(prompts, files.prompts()) : null;
            return new RecipeData(documents, demonstrations, prompts, preferences, taste);
        }

        private Parts<String> documents(@Nullable String file) {
            if (file == null) {
                return new Parts<>(shuffled(documents(words().training())), documents(words().heldOut()));
            }
            List<String> documents = read(
                    file,
                    path -> TextFiles.requireDocuments(
                            path, TextFiles.read(path), 2, "pretraining with a part held out"));
            return split(file, documents, document -> document);
        }

        private static List<String> documents(List<DictionaryEntry> entries) {
            return entries.stream().flatMap(entry -> entry.documents().stream()).toList();
        }

        private Parts<Demonstration> demonstrations(@Nullable String file, @Nullable Parts<Ranking> preferences) {
            if (file != null) {
                return split(file, read(file, DemonstrationFiles::read), d -> d.conversation()
                        .lastUserText());
            }
            if (preferences != null) {
                return map(preferences.train(), preferences.heldOut(), Loader::chosen);
            }
            return new Parts<>(
                    shuffled(questions.demonstrations(words().training())),
                    questions.demonstrations(words().heldOut()));
        }

        private Parts<Conversation> prompts(@Nullable String file, @Nullable Parts<Ranking> preferences) {
            if (file != null) {
                return split(file, read(file, PromptFiles::read), Conversation::lastUserText);
            }
            if (preferences != null) {
                return map(preferences.train(), preferences.heldOut(), Ranking::conversation);
            }
            return map(
                    questions.words(words().training()), questions.words(words().heldOut()), questions::conversation);
        }

        private @Nullable Parts<Ranking> preferences(@Nullable String file) {
            if (file == null) {
                return null;
            }
            List<Ranking> rankings = new ArrayList<>();
            PreferenceDataset read = read(file, PreferenceFiles::read);
            read.forEach(rankings::add);
            return split(file, rankings, ranking -> ranking.conversation().lastUserText());
        }

        private GlossTaste taste(Parts<Conversation> prompts, @Nullable String file) {
            Stream.concat(prompts.train().stream(), prompts.heldOut().stream())
                    .forEach(prompt -> requireWord(prompt, file));
            return new GlossTaste(Lexicon.of(dictionary.get()));
        }

        /** Of held-out prompts too, which are asked only after the models are trained. */
        private static void requireWord(Conversation prompt, @Nullable String file) {
            try {
                WordQuestions.askedWord(prompt.lastUserText());
            } catch (IllegalArgumentException e) {
                throw new InputException(
                        file + ": the simulated labeler judges explanations of a word only, and " + e.getMessage()
                                + ". For prompts of another kind give your own --preferences",
                        e);
            }
        }

        private DictionarySplit words() {
            DictionarySplit known = words;
            if (known == null) {
                known = DictionarySplit.of(dictionary.get(), config.heldOutShare(), config.seed());
                words = known;
            }
            return known;
        }

        private <T> Parts<T> split(String file, List<T> items, Function<T, String> key) {
            try {
                return Splits.byKey(items, key, config.heldOutShare(), config.seed());
            } catch (IllegalArgumentException e) {
                throw new InputException(file + ": " + e.getMessage(), e);
            }
        }

        /** In an order of the seed's, so that the first few are a fair sample of all. */
        private <T> List<T> shuffled(List<T> items) {
            int[] order = RandomKey.of(config.seed()).child("data order").permutation(items.size());
            return IntStream.of(order).mapToObj(items::get).toList();
        }

        private static <S, T> Parts<T> map(List<S> train, List<S> heldOut, Function<S, T> function) {
            return new Parts<>(
                    train.stream().map(function).toList(),
                    heldOut.stream().map(function).toList());
        }

        private static Demonstration chosen(Ranking ranking) {
            int best = ranking.ranks()
                    .indexOf(ranking.ranks().stream().min(Integer::compare).orElseThrow());
            return new Demonstration(ranking.conversation()
                    .with(Message.assistant(ranking.responses().get(best))));
        }

        private interface Reader<T> {
            T read(Path file) throws IOException;
        }

        private static <T> T read(String file, Reader<T> reader) {
            Path path = Path.of(file);
            if (Files.isDirectory(path)) {
                throw new InputException(file + " is a directory; name a file in it");
            }
            if (!Files.isRegularFile(path)) {
                throw new InputException("there is no file " + file + "; check the path");
            }
            try {
                return reader.read(path);
            } catch (IOException e) {
                throw new InputException(String.valueOf(e.getMessage()), e);
            }
        }
    }
}
