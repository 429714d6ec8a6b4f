package io.github.rlhf4j.cli.command;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.data.DatasetException;
import io.github.rlhf4j.transformer.backend.ComputeThreads;
import java.io.PrintWriter;
import java.nio.file.NoSuchFileException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The program. Exit codes: 0 done, 1 failed, 2 what the user gave is wrong, 130 interrupted (and saved).
 */
@Command(
        name = "rlhf",
        mixinStandardHelpOptions = true,
        version = "rlhf4j 0.1.0",
        description = "Reinforcement learning from human feedback, from raw text to an aligned model.",
        subcommands = {
            StageCommand.Run.class,
            StageCommand.TrainTokenizer.class,
            StageCommand.Pretrain.class,
            StageCommand.FineTune.class,
            StageCommand.Compare.class,
            StageCommand.Reward.class,
            StageCommand.Ppo.class,
            StageCommand.Dpo.class,
            StageCommand.Evaluate.class,
            GenerateCommand.class,
            ChatCommand.class,
            InspectCommand.class,
            ExportCommand.class,
            ReportCommand.class,
            CommandLine.HelpCommand.class
        })
public final class Rlhf {

    private static final int FAILED = 1;
    private static final int WRONG_INPUT = 2;

    @Option(names = "--stacktrace", scope = ScopeType.INHERIT, description = "Show where an error came from.")
    boolean stacktrace;

    @Spec
    @Nullable
    CommandSpec spec;

    /** Before anything computes, for the number is read once. */
    @Option(
            names = "--threads",
            paramLabel = "N",
            scope = ScopeType.INHERIT,
            description = "Threads that compute; default: $RLHF4J_THREADS, otherwise one per processor.")
    void computeOn(int threads) {
        if (threads < 1 || threads > ComputeThreads.MOST) {
            throw new ParameterException(
                    Objects.requireNonNull(spec).commandLine(),
                    "--threads must be from 1 to " + ComputeThreads.MOST + ", got " + threads);
        }
        System.setProperty(ComputeThreads.PROPERTY, String.valueOf(threads));
    }

    /** Runs the command that the arguments name and exits with its code. */
    public static void main(String[] arguments) {
        System.exit(execute(new PrintWriter(System.out, true), new PrintWriter(System.err, true), arguments));
    }

    /** Runs a command and returns its exit code. */
    public static int execute(PrintWriter out, PrintWriter err, String... arguments) {
        Rlhf program = new Rlhf();
        CommandLine line = new CommandLine(program).setOut(out).setErr(err).setCaseInsensitiveEnumValuesAllowed(true);
        line.setExecutionExceptionHandler((e, command, result) -> program.report(e, err));
        line.setParameterExceptionHandler((e, given) -> program.report(e, err));
        if (arguments.length == 0) {
            line.usage(out);
            return WRONG_INPUT;
        }
        try {
            return line.execute(arguments);
        } catch (OutOfMemoryError e) {
            return program.report(e, err); // the handler above is given exceptions only
        }
    }

    private int report(Throwable e, PrintWriter err) {
        boolean wrongInput = e instanceof InputException
                || e instanceof DatasetException
                || e instanceof NoSuchFileException
                || e instanceof ParameterException;
        err.println((wrongInput ? "error: " : "failed: ") + describe(e));
        if (e instanceof ParameterException wrong) {
            UnmatchedArgumentException.printSuggestions(wrong, err);
            err.println("try: " + wrong.getCommandLine().getCommandSpec().qualifiedName() + " --help");
        }
        if (stacktrace) {
            e.printStackTrace(err);
        } else if (!wrongInput) {
            err.println("(--stacktrace shows where)");
        }
        err.flush();
        return wrongInput ? WRONG_INPUT : FAILED;
    }

    private static String describe(Throwable e) {
        if (OutOfMemory.isCauseOf(e)) {
            return OutOfMemory.describe(e);
        }
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    static PrintWriter out(@Nullable CommandSpec spec) {
        if (spec == null) {
            throw new IllegalStateException("picocli has not injected the command");
        }
        return spec.commandLine().getOut();
    }
}
