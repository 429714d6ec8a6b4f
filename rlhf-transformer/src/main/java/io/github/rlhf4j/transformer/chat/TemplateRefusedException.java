package io.github.rlhf4j.transformer.chat;

/** What a template does that is refused; thrown through the template engine and told to the caller outside it. */
final class TemplateRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** @param what completes "the chat template ..." */
    TemplateRefusedException(String what) {
        super(what);
    }
}
