package io.github.rlhf4j.cli.report;

/** Text made safe to stand in HTML and SVG. */
final class Html {

    private Html() {}

    /** The text with the five characters that mean something in markup, and control characters, written out. */
    static String escape(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.append(c < ' ' && c != '\n' && c != '\t' || c == 127 ? '\uFFFD' : c);
            }
        }
        return escaped.toString();
    }
}
