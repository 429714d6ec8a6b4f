package io.github.rlhf4j.cli.taste;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An explanation taken apart: what stands before the first quotation mark, and the quoted example that ends it.
 *
 * @param definition the text before the first quotation mark, without the semicolon; the whole text where there is none
 * @param quotationMarks number of double quotation marks in the text
 * @param separated whether {@code ; "} begins the quotation
 * @param example what the quotation marks at the end of the text enclose; empty when it does not end so
 */
record Explanation(String definition, int quotationMarks, boolean separated, String example) {

    private static final Pattern ENDS_IN_QUOTATION = Pattern.compile("^[^\"]*\"([^\"]+)\"$", Pattern.DOTALL);

    static Explanation of(String text) {
        String whole = text.strip();
        int first = whole.indexOf('"');
        String before = first < 0 ? whole : whole.substring(0, first);
        boolean separated = first >= 0 && before.endsWith("; ");
        Matcher quotation = ENDS_IN_QUOTATION.matcher(whole);
        return new Explanation(
                separated ? before.substring(0, before.length() - 2) : before.strip(),
                (int) whole.chars().filter(c -> c == '"').count(),
                separated,
                quotation.matches() ? quotation.group(1).strip() : "");
    }

    boolean hasOneExample() {
        return quotationMarks == 2 && separated && !example.isEmpty();
    }
}
